import { execFile } from 'node:child_process';
import { mkdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { binaryPath, runBinary } from './support/run-binary.ts';
import { temporaryFolder } from './support/temporary-folder.ts';
import { hello } from './support/world.ts';

const next = 'postgresql://hello:the-only-copy@db/hello';

/** An API that answers a rotation only when `answer` is called. */
async function startSlowApi(): Promise<{ url: string; answer: () => void; asked: Promise<void> }> {
  let answer = (): void => undefined;
  let heard = (): void => undefined;
  const asked = new Promise<void>((resolve) => {
    heard = resolve;
  });
  const server = createServer((request, response) => {
    const json = (body: object): void => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    if (request.method === 'GET') return json({ user: { id: 'u1', email: 'ada@example.com' }, tenants: [hello] });
    answer = () => json({ status: 'running', message: '', internal_database_url: next, external_database_url: next });
    heard();
    return undefined;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, answer: () => answer(), asked };
}

test('a new password that exists only once is kept, however often somebody presses Ctrl-C', async () => {
  const api = await startSlowApi();
  const cwd = await temporaryFolder();
  await mkdir(join(cwd, '.systemprompt'));
  let told = 0;
  const { exitCode, stderr } = await runBinary(['cloud', 'tenant', 'rotate-credentials', '--yes', '--json'], {
    cwd,
    env: { SYSTEMPROMPT_API_TOKEN: 'x', SYSTEMPROMPT_API_URL: api.url },
    started: (interrupt) => void api.asked.then(interrupt),
    onStderr: (text, interrupt) => {
      const times = text.split('One moment').length - 1;
      if (times <= told) return;
      told = times;
      if (told < 3) interrupt();
      else api.answer();
    },
  });
  expect(stderr.match(/One moment/g)).toHaveLength(3);
  expect(exitCode).toBe(0);
  expect(await readFile(join(cwd, '.systemprompt/tenants.json'), 'utf8')).toContain('the-only-copy');
});

test('a reader that has seen enough is no error', async () => {
  const cwd = await temporaryFolder();
  const script = '"$0" "$1" commands --json | head -n 1; echo "${PIPESTATUS[0]}"';
  const env = { PATH: process.env['PATH'] ?? '', HOME: cwd };
  const { stdout, stderr } = await promisify(execFile)('bash', ['-c', script, process.execPath, binaryPath], {
    cwd,
    env,
  });
  expect(stderr).toBe('');
  expect(stdout).toMatch(/^\{\n\d+\n$/);
});
