import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createHttpFetch } from '../http-fetch.ts';

/** A local cloud that said in its data folder that it runs. */
export interface LocalCloudState {
  readonly pid: number;
  readonly url: string;
  readonly machines?: string | undefined;
  readonly startedAt?: string | undefined;
}

/** The local cloud that runs on `dataDirectory`; `undefined` when none does, also after a crash that left its file. */
export async function findLocalCloud(dataDirectory: string): Promise<LocalCloudState | undefined> {
  const state = await loadState(dataDirectory);
  return state !== undefined && (await isServer(state.pid)) ? state : undefined;
}

/** Whether the server at `url` answers. */
export async function isHealthy(url: string, signal?: AbortSignal): Promise<boolean> {
  const timeout = AbortSignal.timeout(2000);
  try {
    const fetch = createHttpFetch();
    const response = await fetch(`${url}/healthz`, { signal: signal ? AbortSignal.any([signal, timeout]) : timeout });
    await response.text();
    return response.ok;
  } catch {
    return false;
  }
}

/** Whether `pid` is a living process, and where that can be seen, a Management API: pids are used again. */
export async function isServer(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => undefined);
  return commandLine === undefined || commandLine.includes('management-api');
}

async function loadState(dataDirectory: string): Promise<LocalCloudState | undefined> {
  const text = await readFile(join(dataDirectory, 'local-cloud.json'), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    const value = JSON.parse(text) as { pid?: unknown; url?: unknown; machines?: unknown; started_at?: unknown };
    if (typeof value.pid !== 'number' || typeof value.url !== 'string') return undefined;
    return {
      pid: value.pid,
      url: value.url,
      machines: typeof value.machines === 'string' ? value.machines : undefined,
      startedAt: typeof value.started_at === 'string' ? value.started_at : undefined,
    };
  } catch {
    return undefined;
  }
}
