import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Context } from '../context.ts';
import { ownServer, startPostgres } from '../local-tenant/postgres-of.ts';

/**
 * A server on which a database may be made and dropped to try a backup: that of the database itself where its role may
 * or the server is one that we run, else one that is started for this alone, where the local cloud is installed.
 */
export async function withScratchServer<T>(
  context: Context,
  url: string,
  work: (serverUrl: string | undefined) => Promise<T>,
): Promise<T> {
  const { describeDatabase } = await import('@sp/database');
  const { canCreateDatabases, serverMajor } = await describeDatabase(url, { signal: context.signal });
  if (canCreateDatabases) return await work(url);
  // The role of a local tenant may not, but we may on a server that we run.
  const own = await ownServer(context, url);
  if (own !== undefined) return await work(await startPostgres(context, own));
  const cloud = await import('@sp/management-api').catch(() => undefined);
  if (cloud === undefined) return await work(undefined);
  const folder = await mkdtemp(join(tmpdir(), 'systemprompt-verify-'));
  const dataDir = join(folder, 'postgres');
  try {
    const server = await cloud.startEmbeddedPostgres({ dataDir, signal: context.signal });
    try {
      // An older server cannot take what a newer one wrote.
      const { serverMajor: own } = await describeDatabase(server.url, { signal: context.signal });
      return await work(own >= serverMajor ? server.url : undefined);
    } finally {
      await server.stop();
    }
  } finally {
    await cloud.removeEmbeddedPostgres({ dataDir });
    await rm(folder, { recursive: true, force: true });
  }
}
