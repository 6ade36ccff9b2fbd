// Runs the packed client of the Management API under Node, Bun and Deno against a small server: a call, an error, a call
// that is sent again, a stream that is cut, and two that are aborted. Exits 1 and says why when one does something else.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { execa } from 'execa';
import { startCloudServer } from './check-runtimes/cloud-server.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const runtimes = ['@oven/bun-linux-x64@1.4.5', '@deno/linux-x64-glibc@2.9.6'];

const program = `
import { createCloudApiClient } from '@sp/cloud-api';
const [environment] = globalThis.Deno?.args ?? process.argv.slice(2);
const api = createCloudApiClient({ environment, token: async () => 'token' });
const facts = (promise) => promise.then((value) => ({ value }), ({ name, code, status, serverCode, requestId }) =>
  ({ name, code, status, serverCode, requestId }));
const list = await api.tenants.list();
const missing = await facts(api.tenants.get('missing'));
const repeated = await api.plans.list();
const events = [];
for await (const { eventType } of api.tenants.events('t', { reconnectDelays: [20, 20] })) events.push(eventType);
const call = new AbortController();
setTimeout(() => call.abort(), 50);
const aborted = await facts(api.tenants.get('silent', { signal: call.signal }));
const stream = new AbortController();
const iterator = api.tenants.events('t', { signal: stream.signal, lastEventId: '0' })[Symbol.asyncIterator]();
await iterator.next();
stream.abort();
const abortedStream = await facts(iterator.next());
console.log(JSON.stringify({ list, missing, repeated, events, aborted, abortedStream }));
`;

const expected: unknown = {
  list: [{ id: 't', name: 'hello' }],
  missing: {
    name: 'CloudApiError',
    code: 'SP_API_NOT_FOUND',
    status: 404,
    serverCode: 'tenant_not_found',
    requestId: 'req_1',
  },
  repeated: [{ id: 'p', name: 'Starter', paddlePriceId: 'pri', memoryMbDefault: 0, volumeGb: 0 }],
  events: ['tenant_created', 'tenant_ready'],
  aborted: { name: 'CloudApiError', code: 'SP_API_ABORTED' },
  abortedStream: { name: 'CloudApiError', code: 'SP_API_ABORTED' },
};

const folder = await mkdtemp(join(tmpdir(), 'sp-runtimes-'));
try {
  const { stdout } = await execa('pnpm', ['pack', '--json', '--pack-destination', folder], {
    cwd: join(root, 'packages/cloud-api'),
  });
  const { filename } = JSON.parse(stdout) as { readonly filename: string };
  await writeFile(join(folder, 'package.json'), '{ "private": true, "type": "module" }');
  await writeFile(join(folder, 'program.js'), program);
  await execa('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', filename, ...runtimes], {
    cwd: folder,
  });
  await using server = await startCloudServer();
  const modules = join(folder, 'node_modules');
  const failures = [
    await runtimeProblem('Node', [process.execPath]),
    await runtimeProblem('Bun', [join(modules, '@oven/bun-linux-x64/bin/bun'), 'run']),
    await runtimeProblem('Deno', [
      join(modules, '@deno/linux-x64-glibc/deno'),
      'run',
      '--no-lock',
      '--node-modules-dir=manual',
      '--allow-net=127.0.0.1',
    ]),
  ].filter((problem) => problem !== undefined);
  for (const problem of failures) console.error(problem);
  if (failures.length > 0) process.exitCode = 1;

  /** Why the client does not work there; `undefined` when it does. */
  async function runtimeProblem(name: string, [command = '', ...args]: readonly string[]): Promise<string | undefined> {
    const environment = `${server.url}/${name.toLowerCase()}`;
    const env = { DENO_DIR: join(folder, 'deno'), DENO_NO_UPDATE_CHECK: '1' };
    const run = await execa(command, [...args, 'program.js', environment], {
      cwd: folder,
      env,
      timeout: 60_000,
      reject: false,
    });
    if (run.timedOut) return `${name} did not end by itself: ${run.stdout}${run.stderr}`;
    if (run.exitCode !== 0) return `${name} ended with ${run.exitCode}: ${run.stderr}`;
    const seen: unknown = JSON.parse(run.stdout);
    if (!isDeepStrictEqual(seen, expected)) {
      return `${name} gave\n  ${run.stdout}\nexpected was\n  ${JSON.stringify(expected)}`;
    }
    console.log(`${name}: list, error, repetition, event stream and abort are as they must be`);
    return undefined;
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
