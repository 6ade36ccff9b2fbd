import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import Logs from '../src/commands/cloud/logs.ts';
import Status from '../src/commands/cloud/status.ts';
import { parseSince } from '../src/logs/since.ts';
import { runBinary } from './support/run-binary.ts';
import { runCommand } from './support/run-command.ts';
import { hello, makeWorld } from './support/world.ts';

const path = `/api/v1/tenants/${hello.id}`;
const at = (second: number): string => `2026-01-02T03:04:0${second}.000Z`;
const entries = [
  { time: at(1), stream: 'stdout', message: 'listening on 8080' },
  { time: at(2), stream: 'stderr', message: '\u001b[31merror\u001b[0m: no key' },
];

test('logs shows the last lines, those that --grep finds, and none of their escape sequences', async () => {
  const world = await makeWorld({ [`GET ${path}/logs`]: { data: entries } });
  const all = await runCommand(Logs, [], world);
  expect(all.stdout).toBe(`${at(1)} listening on 8080\n${at(2)} error: no key\n`);
  const some = await runCommand(Logs, ['--grep', 'list.n', '--tail', '5', '--since', '10m', '--json'], world);
  expect(JSON.parse(some.stdout)).toEqual({ tenant_id: hello.id, tenant_name: 'hello', lines: [entries[0]] });
  for (const argv of [['--grep', '('], ['--since', 'yesterday'], ['--tail', '-1'], ['--follow']]) {
    expect((await runCommand(Logs, [...argv, '--json'], world)).exitCode, argv.join(' ')).toBe(2);
  }
  expect(parseSince('2h', new Date('2026-01-02T03:00:00Z'))).toBe('2026-01-02T01:00:00.000Z');
  expect(parseSince('2026-01-02T03:00:00+01:00', new Date(0))).toBe('2026-01-02T02:00:00.000Z');
});

test('logs tells what a failed release wrote last, whose machine is gone', async () => {
  const release = {
    id: 'r3',
    number: 3,
    image: 'i',
    digest: 'd',
    created_at: at(1),
    secrets_version: 0,
    current: false,
  };
  const failed = { ...release, status: 'failed', finished_at: at(5), log_lines: ['starting', '\u001b[2Jno key'] };
  const world = await makeWorld({
    [`GET ${path}/logs`]: { data: [] },
    [`GET ${path}/releases`]: { data: [failed, { ...release, id: 'r2', number: 2, status: 'superseded' }] },
    [`GET ${path}/releases/3`]: { data: failed },
    [`GET ${path}/releases/2`]: { data: { ...release, number: 2, status: 'superseded' } },
  });
  const shown = await runCommand(Logs, [], world);
  expect(shown.stdout).toBe('starting\nno key\n');
  expect(shown.stderr).toContain('Release 3 failed and its machine is gone; this is what it wrote last:');
  const last = await runCommand(Logs, ['--release', '3', '--tail', '1', '--json'], world);
  expect(JSON.parse(last.stdout)).toMatchObject({
    lines: [{ time: at(5), stream: 'stderr', message: failed.log_lines[1], release_number: 3 }],
  });
  for (const argv of [
    ['--release', '2'],
    ['--since', '1h'],
    ['--tail', '0'],
  ]) {
    expect((await runCommand(Logs, argv, world)).stdout, argv.join(' ')).toBe('');
  }
});

/** An API whose log stream says two lines and then stays open. */
async function startLogApi(): Promise<string> {
  const server = createServer((request, response) => {
    if (request.url?.startsWith(`${path}/logs/events`)) {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      entries.forEach((entry, index) => response.write(`id: ${index}\ndata: ${JSON.stringify(entry)}\n\n`));
      return;
    }
    const me = { user: { id: 'u1', email: 'ada@example.com' }, tenants: [hello] };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(me));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('logs --follow shows lines as they come until Ctrl-C: exit code 130', async () => {
  const { cwd } = await makeWorld();
  const env = { SYSTEMPROMPT_API_TOKEN: 'x', SYSTEMPROMPT_API_URL: await startLogApi() };
  const seen = (_: string, stdout: string): boolean => stdout.includes('no key');
  const text = await runBinary(['cloud', 'logs', '-f'], { cwd, env, interruptAfter: seen });
  expect(text).toMatchObject({ exitCode: 130, stdout: `${at(1)} listening on 8080\n${at(2)} error: no key\n` });
  const lines = await runBinary(['cloud', 'logs', '-f', '--json-lines'], { cwd, env, interruptAfter: seen });
  expect(lines.exitCode).toBe(130);
  const types = lines.stdout
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { type: string }).type);
  expect(types).toEqual(['log-line', 'log-line', 'result']);
  // Its normal end is no error.
  expect(text.stderr + lines.stderr).toBe('');
});

test('status --watch tells each change until nothing is under way', async () => {
  const answers: Record<string, unknown> = { [`GET ${path}/status`]: { data: { status: 'deploying' } } };
  const world = await makeWorld(answers);
  let asked = 0;
  // The third look finds it done.
  Object.defineProperty(world.api.answers, `GET ${path}/status`, {
    get: () => {
      asked += 1;
      return { data: { status: asked < 3 ? 'deploying' : 'running' } };
    },
    enumerable: true,
  });
  const { stdout, exitCode } = await runCommand(Status, ['--watch', '--interval', '1', '--json-lines'], world);
  expect(exitCode).toBe(0);
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string; status?: string });
  const changes = lines.filter(({ type }) => type === 'tenant-status').map(({ status }) => status);
  expect(changes).toEqual(['deploying', 'running']);
  expect(lines.at(-1)).toMatchObject({ type: 'result', result: { tenants: [{ status: 'running' }] } });
});

test('status --watch ends at Ctrl-C without an error: exit code 130', async () => {
  const world = await makeWorld({ [`GET ${path}/status`]: { data: { status: 'deploying' } } });
  const watched = await runBinary(['cloud', 'status', '--watch', '--json-lines'], {
    ...world,
    interruptAfter: (_, stdout) => stdout.includes('tenant-status'),
  });
  expect(watched).toMatchObject({ exitCode: 130, stderr: '' });
  expect(watched.stdout).toContain('"type":"result"');
  expect(watched.stdout).not.toContain('"type":"error"');
});
