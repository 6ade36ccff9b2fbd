import type { Machine, Machines } from '../../src/ports/machines.ts';
import type { ProviderApp, ProviderMachine } from './provider.ts';

/** Called around each call of a provider. */
export type Reach = (where: string) => Promise<void>;

class ProviderError extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** A call of the provider; `undefined` when there is no such thing. */
export function providerClient(url: string, reach: Reach) {
  return async <T>(method: string, path: string, body?: unknown): Promise<T | undefined> => {
    const where = `${method} ${path.replace(/\/[^/]*[0-9-][^/]*/g, '/*')}`;
    await reach(`${where}:before`);
    const response = await fetch(`${url}${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const value = (await response.json()) as T;
    await reach(`${where}:after`);
    if (response.status === 404) return undefined;
    if (!response.ok) throw new ProviderError(response.status, `The provider answered ${response.status}`);
    return value;
  };
}

/** A driver for the provider: it looks up by app and release before it makes anything. */
export function createProviderMachines(url: string, reach: Reach): Machines {
  const call = providerClient(url, reach);
  const find = async (appName: string): Promise<ProviderApp | undefined> => await call('GET', `/apps/${appName}`);
  const list = async (appName: string): Promise<readonly ProviderMachine[]> => (await find(appName))?.machines ?? [];
  const toMachine = ({ id, release, state }: ProviderMachine): Machine =>
    state === 'running'
      ? { id, releaseId: release, state, address: new URL(url).host }
      : { id, releaseId: release, state, exitCode: 1 };
  return {
    kind: 'fly',
    databaseHost: '127.0.0.1',
    createApp: async ({ appName }) => {
      if ((await find(appName)) === undefined) await call('POST', `/apps/${appName}`, {});
      const app = await find(appName);
      if (app?.volumes === 0) await call('POST', `/apps/${appName}/volumes`, {});
      if (app?.addresses === 0) await call('POST', `/apps/${appName}/addresses`, {});
    },
    start: async ({ appName, releaseId, env, volumeGb }) => {
      if (((await find(appName))?.volumeGb ?? 1) < volumeGb) {
        await call('PUT', `/apps/${appName}/volumes/1`, { size_gb: volumeGb });
      }
      const known = (await list(appName)).find(({ release }) => release === releaseId);
      const made =
        known ?? (await call<ProviderMachine>('POST', `/apps/${appName}/machines`, { release: releaseId, env }));
      if (made === undefined) throw new Error(`There is no app ${appName}`);
      return toMachine(made);
    },
    keep: async () => {},
    find: async (appName, releaseId) => {
      const found = (await list(appName)).find(({ release }) => release === releaseId);
      return found === undefined ? undefined : toMachine(found);
    },
    list: async (appName) => (await list(appName)).map(toMachine),
    listApps: async () => (await call<readonly string[]>('GET', '/apps')) ?? [],
    logs: async () => ['last words'],
    async *readLogs() {},
    stop: async (appName, releaseId) => {
      for (const { id, release } of await list(appName)) {
        if (release === releaseId) await call('DELETE', `/apps/${appName}/machines/${id}`);
      }
    },
    removeApp: async (appName) => void (await call('DELETE', `/apps/${appName}`)),
    close: async () => {},
  };
}
