import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'tsup';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { json, serve, sse } from './server.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(root, 'node_modules', '.leaves-nothing-'));
  // The sources as they are, in a form that a process without a loader runs.
  const entry = [join(root, 'src', 'index.ts')];
  await build({ entry, outDir: folder, format: 'esm', config: false, silent: true, dts: false, target: 'node20' });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('a process that used calls, repetitions, streams and polling ends by itself', async () => {
  const environment = await serve((request, response) => {
    if (request.url?.includes('streamless')) return void response.writeHead(405).end();
    if (request.url?.includes('busy')) return json(response, 503, {}, { 'retry-after': '3600' });
    if (!request.url?.endsWith('/events')) return json(response, 200, []);
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write(sse(1, 'tenant_created'));
  });
  const script = `
    const { createCloudApiClient } = await import(${JSON.stringify(pathToFileURL(join(folder, 'index.js')).href)});
    const controller = new AbortController();
    const api = createCloudApiClient({ environment: ${JSON.stringify(environment)}, token: 't', signal: controller.signal, timeout: 10_000_000 });
    await api.plans.list();
    const call = new AbortController();
    const waiting503 = api.tenants.get('busy', { signal: call.signal }).catch(({ code }) => code);
    setTimeout(() => call.abort(), 200);
    console.log(await waiting503);
    for await (const _ of api.tenants.events('t1')) break;
    const iterator = api.tenants.events('t1')[Symbol.asyncIterator]();
    await iterator.next();
    const waiting = iterator.next();
    await iterator.return();
    await waiting;
    const polled = api.tenants.events('streamless')[Symbol.asyncIterator]().next().catch(({ code }) => code);
    controller.abort();
    console.log(await polled);
  `;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script], {
    timeout: 50_000,
  });
  expect(stdout).toBe('SP_API_ABORTED\nSP_API_ABORTED\n');
});
