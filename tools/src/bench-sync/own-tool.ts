import { loadSync } from './built-package.ts';

/** One sync from the project to the tenant: a whole process, started anew for each. */
export async function syncUp(sync: {
  readonly root: string;
  readonly stateDirectory: string;
  readonly url: string;
}): Promise<void> {
  const { syncFiles } = await loadSync();
  const { root, stateDirectory, url } = sync;
  const options = { root, stateDirectory, remote: { url, token: 'benchmark' } };
  await syncFiles({ ...options, direction: 'up', delete: true });
}
