import { chmod, readdir, readFile, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { editProfile, loadProfile, type ProfileValue } from '../src/index.ts';
import { profileText } from './profile-text.ts';
import { temporaryFolder } from './temporary-folder.ts';

const env = { PORT: '9000', SECRET: 'planted' };

async function profileFile(text: string): Promise<string> {
  const path = join(await temporaryFolder(), 'profile.yaml');
  await writeFile(path, text);
  return path;
}

async function edited(text: string, changes: Record<string, ProfileValue | undefined>): Promise<string> {
  const path = await profileFile(text);
  await editProfile(path, changes, { env });
  return readFile(path, 'utf8');
}

test('only the value changes: comments, order, unknown members, variables and relative paths stay', async () => {
  const text = `# mine
name: local   # the name
future: { anything:   [1,  2] }

server: # how it is reached
  port: \${PORT}
  host: "127.0.0.1"  # only here
  api_server_url: 'http://localhost:\${PORT}'
  api_internal_url: http://localhost
  api_external_url: http://localhost
display_name:   Local
site: {name: x, github_link: null}
database: { type: postgres, external_db_access: false }
paths: { system: ../.., services: ./services, bin: "\${HOME_OF_BIN}/bin" }
security: { jwt_issuer: x, jwt_access_token_expiration: 60, jwt_refresh_token_expiration: 60, jwt_audiences: [web] }
rate_limits: {}
`;
  expect(
    await edited(text, {
      'server.host': '0.0.0.0',
      'server.port': 9001,
      display_name: 'Mine: yes',
      'site.name': 'a, b',
      'database.external_db_access': true,
      'server.api_external_url': 'https://${HOST}',
    }),
  ).toBe(
    text
      .replace('"127.0.0.1"', '0.0.0.0')
      .replace('port: ${PORT}', 'port: 9001')
      .replace('display_name:   Local', 'display_name:   "Mine: yes"')
      .replace('{name: x,', '{name: "a, b",')
      .replace('external_db_access: false', 'external_db_access: true')
      .replace('api_external_url: http://localhost', 'api_external_url: https://${HOST}'),
  );
});

test('what has no place yet gets one, with the comments kept', async () => {
  const text = `${profileText()}# the end\n`.replace('target: local', 'target: local # here');
  const changed = await edited(text, {
    'runtime.log_level': 'debug',
    'server.cors_allowed_origins': ['http://localhost:${PORT}'],
    'extensions.disabled': ['a', 'b'],
    'site.github_link': undefined,
  });
  expect(changed).toContain('target: local # here\n');
  expect(changed).toContain('# the end\n');
  expect(parse(changed)).toEqual({
    ...(parse(text) as object),
    site: { name: 'site' },
    runtime: { log_level: 'debug' },
    server: { ...(parse(text) as { server: object }).server, cors_allowed_origins: ['http://localhost:${PORT}'] },
    extensions: { disabled: ['a', 'b'] },
  });
  expect(changed).toContain('${PORT}');
});

test('members come and go in their own lines', async () => {
  const text = `${profileText()}runtime:   # how it talks
    log_level:   quiet   # not much
    output_format: json

    # the end of it
extensions:
    disabled:
    -  a   # one
    -  b
gateway:
`.replace('site: { name: site, github_link: null }', 'site:\n  name: site\n  github_link: https://x.test # ours');
  const cases: [Record<string, ProfileValue | undefined>, (before: string) => string][] = [
    [{ 'runtime.no_color': true }, (t) => t.replace('json\n', 'json\n    no_color: true\n')],
    [{ 'runtime.log_level': undefined }, (t) => t.replace('    log_level:   quiet   # not much\n', '')],
    [{ 'site.github_link': undefined }, (t) => t.replace('  github_link: https://x.test # ours\n', '')],
    [{ 'cloud.tenant_id': 't_1' }, (t) => t.replace(/\n$/, '\ncloud:\n  tenant_id: t_1\n')],
    [{ 'extensions.disabled': ['c', '- d'] }, (t) => t.replace('-  a   # one\n    -  b', '- c\n    - "- d"')],
    [{ 'extensions.disabled': [] }, (t) => t.replace('-  a   # one\n    -  b', ' []')],
    [
      { 'server.cors_allowed_origins': ['http://localhost'] },
      (t) => t.replace('external_url: http://localhost:8080\n', '$&  cors_allowed_origins:\n    - http://localhost\n'),
    ],
    [{ 'security.jwt_audiences': ['web'] }, (t) => t.replace('[web, own]', '[ web ]')],
  ];
  for (const [changes, change] of cases) {
    for (const form of [text, text.replaceAll('\n', '\r\n'), text.trimEnd()]) {
      const expected = form === text ? change(text) : undefined;
      const changed = await edited(form, changes);
      if (expected !== undefined) expect(changed).toBe(expected);
      expect(parse(changed)).toEqual(parse(change(text)));
    }
  }
});

test('a change that changes nothing writes nothing', async () => {
  const path = await profileFile(profileText());
  const before = await stat(path);
  expect(await editProfile(path, { 'server.host': '127.0.0.1', 'cloud.tenant_id': undefined }, { env })).toBe(false);
  const after = await stat(path);
  expect([after.ino, after.mtimeMs]).toEqual([before.ino, before.mtimeMs]);
});

test('a change to something wrong is refused, and the file stays as it is', async () => {
  const text = profileText();
  const path = await profileFile(text);
  const problems: [Record<string, ProfileValue | undefined>, string][] = [
    [{ 'server.port': 0 }, 'server.port'],
    [{ 'server.port': '${SECRET}' }, 'server.port'],
    [{ 'runtime.log_level': 'loud' }, 'runtime.log_level'],
    [{ name: undefined }, 'name'],
    [{ target: 'cloud' }, 'paths.system'],
    [{ 'server.host.first': 'x' }, 'server.host.first'],
    [{ 'server..host': 'x' }, 'server..host'],
    [{ '__proto__.x': 'x' }, '__proto__.x'],
  ];
  for (const [changes, member] of problems) {
    await expect(editProfile(path, changes, { env })).rejects.toMatchObject({
      code: 'SP_PROFILE_INVALID',
      path,
      findings: expect.arrayContaining([expect.objectContaining({ member })]),
      message: expect.not.stringContaining('planted'),
    });
  }
  expect(await readFile(path, 'utf8')).toBe(text);
  expect(await readdir(join(path, '..'))).toEqual(['profile.yaml']);
});

test('a profile that is wrong in two places can be corrected in two steps', async () => {
  const path = await profileFile(
    profileText().replace('port: 8080', 'port: 0').replace("host: '127.0.0.1'", "host: ''"),
  );
  await editProfile(path, { 'server.port': 8081 }, { env });
  await expect(loadProfile(path, { env })).rejects.toMatchObject({ findings: [{ member: 'server.host' }] });
  await editProfile(path, { 'server.host': 'localhost' }, { env });
  expect((await loadProfile(path, { env })).server).toMatchObject({ host: 'localhost', port: 8081 });
});

test('the file keeps its mode, and a symlink stays one', async () => {
  const path = await profileFile(profileText());
  await chmod(path, 0o640);
  const link = join(path, '..', 'link.yaml');
  await symlink(path, link);
  await editProfile(link, { 'server.port': 8081 }, { env });
  expect((await stat(path)).mode & 0o777).toBe(0o640);
  expect(await readFile(path, 'utf8')).toContain('port: 8081');
  expect((await readdir(join(path, '..'))).sort()).toEqual(['link.yaml', 'profile.yaml']);
});

test('of ten edits at once none is lost', async () => {
  const path = await profileFile(profileText());
  const limits = 'oauth_public oauth_auth contexts tasks artifacts agents mcp stream content agent_registry'.split(' ');
  await Promise.all(limits.map((limit) => editProfile(path, { [`rate_limits.${limit}_per_second`]: 7 }, { env })));
  const text = await readFile(path, 'utf8');
  expect(Object.values((parse(text) as { rate_limits: object }).rate_limits)).toEqual(limits.map(() => 7));
});

test('the draft of a process that was killed is waited for, and then taken over', async () => {
  const path = await profileFile(profileText());
  await writeFile(`${path}.new`, 'half a te');
  const stop = new AbortController();
  const blocked = editProfile(path, { 'server.port': 1 }, { env, signal: stop.signal });
  stop.abort();
  await expect(blocked).rejects.toMatchObject({ name: 'AbortError' });
  const longAgo = new Date(Date.now() - 60_000);
  await utimes(`${path}.new`, longAgo, longAgo);
  await editProfile(path, { 'server.port': 8081 }, { env });
  expect(await readFile(path, 'utf8')).toBe(profileText().replace('port: 8080', 'port: 8081'));
  expect(await readdir(join(path, '..'))).toEqual(['profile.yaml']);
});

test('no file, and a text that is no YAML, are named', async () => {
  const path = await profileFile('name: [');
  await expect(editProfile(path, { name: 'x' }, { env })).rejects.toMatchObject({ code: 'SP_PROFILE_INVALID' });
  await expect(editProfile(`${path}.none`, { name: 'x' }, { env })).rejects.toMatchObject({
    code: 'SP_PROFILE_NOT_FOUND',
  });
});
