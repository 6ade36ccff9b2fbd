import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { createProfile, listProfiles, loadProfile, loadSecrets, type StoredTenant } from '../src/index.ts';
import { temporaryFolder } from './temporary-folder.ts';

const tenant: StoredTenant = {
  id: 't_1',
  name: 'site',
  hostname: 'site.example.test',
  databaseUrl: 'postgres://u:p@outside/site',
  internalDatabaseUrl: 'postgres://u:p@inside/site',
  tenantType: 'cloud',
  externalDbAccess: true,
  syncToken: 'sync',
};

async function project(): Promise<{ projectRoot: string; profiles: string; directory: string }> {
  const projectRoot = await temporaryFolder();
  const profiles = join(projectRoot, '.systemprompt', 'profiles');
  return { projectRoot, profiles, directory: join(profiles, 'production') };
}

test('a profile is created, listed and loaded', async () => {
  const { projectRoot, profiles, directory } = await project();
  const secrets = { jwtSecret: 'j'.repeat(64), anthropicApiKey: 'key' };
  const created = await createProfile({ directory, name: 'production', tenant, secrets, projectRoot });
  expect(await readFile(created.secretsPath, 'utf8')).toBe(
    JSON.stringify(
      {
        jwt_secret: 'j'.repeat(64),
        database_url: tenant.databaseUrl,
        external_database_url: tenant.databaseUrl,
        gemini: null,
        anthropic: 'key',
        openai: null,
        internal_database_url: tenant.internalDatabaseUrl,
        sync_token: 'sync',
      },
      undefined,
      2,
    ),
  );
  expect((await stat(created.secretsPath)).mode & 0o777).toBe(0o600);
  const text = await readFile(created.profilePath, 'utf8');
  expect(text).toMatch(/^# .*Production\n# .*\n\nname: production\ndisplay_name: Production\ntarget: cloud\nsite:\n/);
  expect(Object.keys(parse(text) as object)).toEqual(
    'name display_name target site database server paths security rate_limits runtime cloud secrets extensions gateway'.split(
      ' ',
    ),
  );
  expect(text).toContain('  cors_allowed_origins:\n    - https://site.example.test\n');
  expect(text).toContain('  github_link: null\n');
  expect(await listProfiles(profiles)).toEqual([{ name: 'production', path: created.profilePath, hasSecrets: true }]);
  expect(await loadProfile(created.profilePath, { env: {} })).toMatchObject({
    name: 'production',
    displayName: 'Production',
    target: 'cloud',
    server: { port: 8080, apiExternalUrl: 'https://site.example.test', useHttps: true },
    paths: { system: '/app', services: '/app/services', webPath: '/app/web', geoipDatabase: undefined },
    cloud: { tenantId: 't_1', validation: 'strict' },
    secrets: { secretsPath: created.secretsPath, source: 'env' },
    database: { externalDbAccess: true },
  });
  expect((await stat(join(projectRoot, 'storage'))).isDirectory()).toBe(true);
});

test('without provisioned credentials the JWT secret is random', async () => {
  const { projectRoot, profiles } = await project();
  const secrets = await Promise.all(
    ['one', 'two'].map(async (name) => {
      const created = await createProfile({ directory: join(profiles, name), name, tenant, projectRoot });
      return (await loadSecrets(created.secretsPath))?.['jwt_secret'];
    }),
  );
  expect(secrets[0]).toMatch(/^[A-Za-z0-9]{64}$/);
  expect(secrets[0]).not.toBe(secrets[1]);
});

test('a profile that exists is never changed, and nothing is left behind', async () => {
  const { projectRoot, profiles, directory } = await project();
  const options = { directory, name: 'production', tenant, projectRoot };
  const outcomes = await Promise.allSettled([createProfile(options), createProfile(options), createProfile(options)]);
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  for (const outcome of outcomes) {
    if (outcome.status === 'rejected')
      expect(outcome.reason).toMatchObject({ code: 'SP_PROFILE_EXISTS', path: directory });
  }
  expect(await readdir(profiles)).toEqual(['production']);
});

test('a profile that could not work is not created', async () => {
  const { projectRoot, directory } = await project();
  const create = (name: string, changes: Partial<StoredTenant>): Promise<unknown> =>
    createProfile({ directory, name, tenant: { ...tenant, ...changes }, projectRoot });
  const masked = { databaseUrl: undefined, internalDatabaseUrl: 'postgres://u:***@inside/site' };
  for (const failing of [
    () => create('../escape', {}),
    () => create('production', masked),
    () => create('production', { databaseUrl: undefined, internalDatabaseUrl: undefined }),
    () => create('production', { tenantType: 'local' }),
  ]) {
    await expect(failing()).rejects.toMatchObject({ code: 'SP_PROFILE_INVALID' });
  }
});

test('variables are filled in, relative paths resolved, and the file stays as it is', async () => {
  const folder = await temporaryFolder();
  const path = join(folder, 'profiles', 'local', 'profile.yaml');
  const text = `name: local
display_name: Local
site: { name: x }
database: { type: postgres }
server:
  host: \${HOST}
  port: \${PORT}
  api_server_url: http://localhost:\${PORT}
  api_internal_url: http://\${UNKNOWN}
  api_external_url: http://localhost
paths: { system: ../.., services: ../../services, bin: /opt/bin, web_path: null }
secrets: { secrets_path: ~/keys.json, source: file }
`;
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
  const profile = await loadProfile(path, { env: { HOST: '127.0.0.1', PORT: '9000' }, home: '/home/ada' });
  expect(profile).toMatchObject({
    target: 'local',
    server: { host: '127.0.0.1', port: 9000, apiInternalUrl: 'http://${UNKNOWN}' },
    paths: { system: folder, services: join(folder, 'services'), bin: '/opt/bin' },
    secrets: { secretsPath: '/home/ada/keys.json' },
    cloud: undefined,
  });
  expect(await readFile(path, 'utf8')).toBe(text);
});

test('everything that is wrong with a profile is named, without its values', async () => {
  const folder = await temporaryFolder();
  const path = join(folder, 'profile.yaml');
  await writeFile(
    path,
    `name: ''
display_name: X
target: cloud
database: { type: postgres }
server: { host: h, port: 0, api_server_url: a, api_internal_url: b, cors_allowed_origins: ['ftp://planted'] }
paths: { system: /app, services: /srv/planted, bin: /app/bin, web_path: /app/services/web }
`,
  );
  await expect(loadProfile(path, { env: {} })).rejects.toMatchObject({
    code: 'SP_PROFILE_INVALID',
    message: expect.not.stringContaining('planted'),
    findings: expect.arrayContaining([
      { member: 'name', problem: 'must not be empty' },
      { member: 'server.api_external_url', problem: 'is missing or of the wrong type' },
      { member: 'server.port', problem: 'has an invalid value' },
      { member: 'server.cors_allowed_origins.0', problem: 'must start with http:// or https://' },
    ]),
  });
  await writeFile(path, 'name: [');
  await expect(loadProfile(path, { env: {} })).rejects.toMatchObject({ findings: [{ problem: 'is not YAML' }] });
  await expect(loadProfile(join(folder, 'none.yaml'), { env: {} })).rejects.toMatchObject({
    code: 'SP_PROFILE_NOT_FOUND',
  });
});

test('a cloud profile keeps to the folders of the image', async () => {
  const { projectRoot, directory } = await project();
  const { profilePath } = await createProfile({ directory, name: 'production', tenant, projectRoot });
  const text = await readFile(profilePath, 'utf8');
  await writeFile(
    profilePath,
    text.replace('bin: /app/bin', 'bin: /appetite').replace('/app/web', '/app/services/web'),
  );
  await expect(loadProfile(profilePath, { env: {} })).rejects.toMatchObject({
    findings: [
      { member: 'paths.bin', problem: 'must be below /app' },
      { member: 'paths.web_path', problem: 'must be below /app/web' },
    ],
  });
});
