import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { createTenantFetch } from '../src/sync/tenant-fetch.ts';
import { runBinary } from './support/run-binary.ts';
import { keys, openTerminal } from './support/terminal.ts';
import { makeWorld } from './support/world.ts';

/** Takes connections and says nothing. */
async function startSilence(onConnection: () => void = () => undefined): Promise<string> {
  const server = createServer(onConnection);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  onTestFinished(() => void server.close());
  return `127.0.0.1:${(server.address() as { port: number }).port}`;
}

test('a terminal is told whom the command waits for, and Ctrl-C ends it', async () => {
  const { cwd, env } = await makeWorld();
  const host = await startSilence();
  const terminal = openTerminal(['cloud', 'releases'], {
    cwd,
    env: { ...env, SYSTEMPROMPT_API_URL: `http://${host}` },
  });
  await terminal.see(`Waiting for an answer of ${host}`);
  terminal.type(keys.interrupt);
  expect(await terminal.ended(), terminal.screen()).toBe(130);
});

test('without a terminal nothing is said', async () => {
  const { cwd, env } = await makeWorld();
  let interrupt = (): void => undefined;
  // Longer than a terminal would have waited for its line, from when the command waits.
  const host = await startSilence(() => void setTimeout(() => interrupt(), 3500));
  const { stdout, stderr } = await runBinary(['cloud', 'releases', '--json'], {
    cwd,
    env: { ...env, SYSTEMPROMPT_API_URL: `http://${host}` },
    started: (send) => {
      interrupt = send;
    },
  });
  expect(stdout + stderr).not.toContain('Waiting');
});

test('a host that takes no connection is given up', async () => {
  // A process that is stopped takes none: once its queue is full, the next one waits for ever.
  const program = `require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, function () { console.log(this.address().port); })`;
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'ignore'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const port = Number(String((await once(child.stdout, 'data'))[0]));
  child.kill('SIGSTOP');
  const queue = Array.from({ length: 4 }, () => connect(port, '127.0.0.1'));
  onTestFinished(() => queue.forEach((socket) => socket.destroy()));
  await expect
    .poll(
      async () => {
        const asked = createTenantFetch({ connectMs: 300 })(`http://127.0.0.1:${port}/`, {
          signal: AbortSignal.timeout(2000),
        });
        return await asked.catch((error: unknown) => (error instanceof Error ? error.message : ''));
      },
      { timeout: 90_000 },
    )
    .toBe('no connection within 0.3 seconds');
});
