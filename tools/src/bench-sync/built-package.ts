/** What the benchmark uses of the built `@sp/sync`, loaded from where it is built: the tools do not depend on it. */
export interface SyncPackage {
  syncFiles(options: object): Promise<object>;
}

/** Of its server half. */
export interface SyncServer {
  createSyncHandler(options: object): (request: Request) => Promise<Response>;
}

const folder = new URL('../../packages/sync/dist/', import.meta.url);

export async function loadSync(): Promise<SyncPackage> {
  return (await import(new URL('index.js', folder).href)) as SyncPackage;
}

export async function loadSyncServer(): Promise<SyncServer> {
  return (await import(new URL('server.js', folder).href)) as SyncServer;
}
