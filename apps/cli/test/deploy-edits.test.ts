import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type LocalProject, startLocalProject } from './support/local-project.ts';
import { runBinary } from './support/run-binary.ts';

// A tenant that speaks the protocol of `cloud sync`, on a real cloud of this computer; each test goes on where the one before
// has ended.
const serverText = `#!/usr/bin/env node
import { createServer } from 'node:http';
import { Readable } from 'node:stream';
import { createSyncHandler } from ${JSON.stringify(import.meta.resolve('@sp/sync/server'))};
const { SYSTEMPROMPT_SERVICES_PATH: root, SYNC_TOKEN: token, PORT, HOST } = process.env;
const handler = createSyncHandler({ root, token, onError: (error) => console.error(error) });
createServer(async (incoming, outgoing) => {
  const { method, url, headers } = incoming;
  if (!url.startsWith('/api/v1/sync/')) return outgoing.end('{"status":"ok"}');
  const body = method === 'GET' ? null : Readable.toWeb(incoming);
  const response = await handler(new Request('http://tenant' + url, { method, headers, body, duplex: 'half' }));
  outgoing.writeHead(response.status, Object.fromEntries(response.headers));
  outgoing.end(Buffer.from(await response.arrayBuffer()));
}).listen(PORT, HOST);
`;

let project: LocalProject;
let note: string;
beforeAll(async () => {
  project = await startLocalProject();
  const { cwd, cloud } = project;
  await writeFile(join(cwd, 'target/release/systemprompt'), serverText, { mode: 0o755 });
  note = join(cwd, 'services/note.md');
  await writeFile(note, 'first\n');
  for (const args of [
    ['init'],
    ['auth', 'login', '--environment', cloud.url],
    ['tenant', 'create', '--name', 'shop', '--plan', 'starter', '--region', 'iad'],
  ]) {
    expect(await ask('cloud', ...args)).toMatchObject({ exitCode: 0 });
  }
});
afterAll(() => project[Symbol.asyncDispose]());

type Answer = Readonly<Record<string, unknown>> & { readonly exitCode: number | null };

async function ask(...args: string[]): Promise<Answer> {
  const { cwd, env } = project;
  const { stdout, exitCode } = await runBinary([...args, '--json'], { cwd, env });
  return { ...(JSON.parse(stdout) as Record<string, unknown>), exitCode };
}

test('after a rollback nobody has edited the tenant: newer files stay, and a deploy goes on', async () => {
  expect(await ask('cloud', 'deploy')).toMatchObject({ exitCode: 0, release: 1 });
  await writeFile(note, 'second\n');
  expect(await ask('cloud', 'deploy')).toMatchObject({ exitCode: 0, release: 2 });
  expect(await ask('cloud', 'rollback', '--yes')).toMatchObject({ exitCode: 0, release: 3 });
  expect(await ask('cloud', 'sync', 'status')).toMatchObject({ local_changes: ['note.md'], remote_changes: [] });
  expect(await ask('cloud', 'sync', 'down')).toMatchObject({ exitCode: 0, down: [] });
  expect(await readFile(note, 'utf8')).toBe('second\n');
  expect(await ask('cloud', 'deploy')).toMatchObject({ exitCode: 0, release: 4 });
});

test('a deploy that nobody waited for and the cloud finished is no edit either', async () => {
  const { cwd, env } = project;
  await writeFile(note, 'third\n');
  const left = await runBinary(['cloud', 'deploy', '--yes', '--json-lines'], {
    cwd,
    env,
    interruptAfter: (_, stdout) => /"step-completed".*"step":"deploy"/.test(stdout),
  });
  // It may be as quick as the Ctrl-C.
  expect([0, 130]).toContain(left.exitCode);
  expect(await ask('cloud', 'status', '--watch')).toMatchObject({ exitCode: 0 });
  await writeFile(note, 'fourth\n');
  expect(await ask('cloud', 'deploy')).toMatchObject({ exitCode: 0 });
});

test('what somebody did edit there stops a deploy, and nothing that is advised loses work', async () => {
  const { cwd, env } = project;
  const state = join(cwd, '.systemprompt/sync');
  const { tenants } = (await ask('cloud', 'status')) as unknown as { tenants: { id: string }[] };
  const id = tenants[0]?.id ?? '';
  // Another computer deployed: this one knows nothing of it.
  const other = join(cwd, 'services/other.md');
  await writeFile(other, 'from elsewhere\n');
  await writeFile(note, 'fifth, from elsewhere\n');
  const before = await readFile(join(state, id, 'base'));
  const known = new Set(await readdir(join(state, id, 'shipped')));
  expect(await ask('cloud', 'deploy')).toMatchObject({ exitCode: 0 });
  await writeFile(join(state, id, 'base'), before);
  for (const name of await readdir(join(state, id, 'shipped'))) {
    if (!known.has(name)) await rm(join(state, id, 'shipped', name));
  }
  await rm(other);
  await writeFile(note, 'fifth, from here\n');
  const refused = await ask('cloud', 'deploy');
  expect(refused).toMatchObject({ exitCode: 6, error: { code: 'SP_CLI_TENANT_EDITED' } });
  expect(JSON.stringify(refused['error'])).toContain('cloud sync status --profile shop');
  expect(await ask('cloud', 'sync', 'down')).toMatchObject({
    exitCode: 11,
    conflicts: ['note.md'],
    down: ['other.md'],
  });
  expect(await readFile(note, 'utf8')).toBe('fifth, from here\n');

  // A damaged record is named with its file, by a deploy too.
  const base = join(state, id, 'base');
  await writeFile(base, 'damaged');
  const damaged = await runBinary(['cloud', 'deploy', '--yes', '--json'], { cwd, env });
  expect(damaged.exitCode).toBe(1);
  expect(JSON.parse(damaged.stdout)).toMatchObject({ error: { code: 'SP_SYNC_BASE_DAMAGED', path: base } });
  await rm(base);
  expect(await ask('cloud', 'sync', 'status')).toMatchObject({ exitCode: 9, conflicts: ['note.md'] });
});

test('a release that is not healthy ends with 10, and it is said which one goes on', async () => {
  const { cwd, env } = project;
  const { releases } = (await ask('cloud', 'releases')) as unknown as {
    releases: { number: number; status: string }[];
  };
  const before = releases.find(({ status }) => status === 'running')?.number;
  const program = join(cwd, 'target/release/systemprompt');
  await writeFile(program, '#!/bin/sh\necho out of order\nexit 1\n', { mode: 0o755 });
  expect(await ask('cloud', 'deploy', '--no-sync-check')).toMatchObject({
    exitCode: 10,
    error: {
      code: 'SP_DEPLOY_UNHEALTHY',
      serving_release: before,
      suggestions: [`Release ${before} goes on.`],
    },
  });
  expect(await ask('cloud', 'status')).toMatchObject({ tenants: [{ status: 'running' }] });
  // Where nothing served before, nothing goes on.
  const made = ['tenant', 'create', '--name', 'second', '--plan', 'starter', '--region', 'iad'];
  expect(await ask('cloud', ...made)).toMatchObject({ exitCode: 0 });
  const first = await runBinary(['cloud', 'deploy', '--profile', 'second', '--yes', '--json'], { cwd, env });
  expect(first.exitCode, first.stdout).toBe(1);
  expect(first.stdout).not.toContain('serving_release');
});
