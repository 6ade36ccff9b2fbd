import { get } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { Machines } from '../ports/machines.ts';

const logLines = 20;

/** How waiting for a machine ended; `reason` is for the tenant's owner, its first line says what happened. */
export type Health =
  | { readonly healthy: true; readonly address: string }
  | { readonly healthy: false; readonly reason: string };

/** Waits until the machine answers `/api/v1/health` with 200, has exited, or the time is up. */
export async function waitForHealth(
  machines: Pick<Machines, 'find' | 'logs'>,
  machine: { readonly appName: string; readonly releaseId: string },
  options: { readonly timeoutMs: number; readonly intervalMs: number; readonly signal: AbortSignal },
): Promise<Health> {
  const { timeoutMs, intervalMs, signal } = options;
  const until = performance.now() + timeoutMs;
  let last = 'it did not answer';
  while (true) {
    signal.throwIfAborted();
    const found = await machines.find(machine.appName, machine.releaseId);
    if (found?.state !== 'running') {
      const code = found?.exitCode === undefined ? '' : ` with code ${found.exitCode}`;
      return { healthy: false, reason: await withLog(`The machine exited${code} before it was healthy`) };
    }
    if (found.healthy === true && found.address !== undefined) return { healthy: true, address: found.address };
    if (found.healthy === false) last = "the provider's checks of it fail";
    // Where the provider looks itself, its word counts: the address may lead to another machine of the app.
    if (found.healthy === undefined && found.address !== undefined) {
      const status = await healthStatus(found.address, signal);
      if (status === 200) return { healthy: true, address: found.address };
      if (status !== undefined) last = `GET /api/v1/health answered ${status}`;
    }
    if (performance.now() >= until) {
      const seconds = Math.round(timeoutMs / 1000);
      return { healthy: false, reason: await withLog(`The machine was not healthy within ${seconds} s: ${last}`) };
    }
    await delay(intervalMs, undefined, { signal });
  }

  async function withLog(sentence: string): Promise<string> {
    const lines = await machines.logs(machine.appName, machine.releaseId, { lines: logLines });
    return [sentence, ...lines].join('\n');
  }
}

async function healthStatus(address: string, signal: AbortSignal): Promise<number | undefined> {
  return await new Promise((done) => {
    // No agent: a kept connection to a machine that is being replaced would outlive it.
    const request = get(`http://${address}/api/v1/health`, { agent: false, signal, timeout: 2000 }, (response) => {
      response.resume();
      done(response.statusCode);
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => done(undefined));
  });
}
