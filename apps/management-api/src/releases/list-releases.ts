import type { Release } from '@sp/cloud-api/contract';
import { and, desc, eq, type SQL } from 'drizzle-orm';
import { findReleaseDigests } from '../images/release-digests.ts';
import type { Store } from '../store/database.ts';
import { releases, users } from '../store/schema.ts';
import type { ReleaseRow } from '../tenants/deploys.ts';

const uuidPattern = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

/** A tenant's last releases, the newest first. */
export async function listReleases(
  store: Store,
  request: { readonly tenantId: string; readonly limit: number; readonly kept?: number | undefined },
): Promise<Release[]> {
  const { tenantId, limit, kept } = request;
  const rows = await select(store, eq(releases.tenantId, tenantId)).limit(limit);
  const images = new Set<string>(await findReleaseDigests(store, { tenantId, kept }));
  return rows.map(({ release, email }) => describe(release, { email, images }));
}

/** One release of a tenant, by its id or number, with the last lines of a machine that failed. */
export async function findRelease(
  store: Store,
  request: { readonly tenantId: string; readonly release: string; readonly kept?: number | undefined },
): Promise<Release | undefined> {
  const { tenantId, release: name, kept } = request;
  const which = whichRelease(name);
  if (which === undefined) return undefined;
  const [row] = await select(store, and(eq(releases.tenantId, tenantId), which)).limit(1);
  if (row === undefined) return undefined;
  const [, ...logLines] = row.release.failure?.split('\n') ?? [];
  const images = new Set<string>(await findReleaseDigests(store, { tenantId, kept }));
  return { ...describe(row.release, { email: row.email, images }), ...(logLines.length === 0 ? {} : { logLines }) };
}

function whichRelease(name: string): SQL | undefined {
  if (uuidPattern.test(name)) return eq(releases.id, name);
  return /^[1-9]\d{0,8}$/.test(name) ? eq(releases.number, Number(name)) : undefined;
}

function select(store: Store, where: SQL | undefined) {
  return store.db
    .select({ release: releases, email: users.email })
    .from(releases)
    .leftJoin(users, eq(users.id, releases.createdBy))
    .where(where)
    .orderBy(desc(releases.number))
    .$dynamic();
}

/** What became of a release: also that it cannot be brought back any more, since its image is not among those that are kept. */
function statusOf({ status, digest }: ReleaseRow, images: ReadonlySet<string>): Release['status'] {
  return status === 'superseded' && !images.has(digest) ? 'image_removed' : status;
}

function describe(
  row: ReleaseRow,
  { email, images }: { readonly email: string | null; readonly images: ReadonlySet<string> },
): Release {
  return {
    id: row.id,
    number: row.number,
    image: row.image,
    digest: row.digest,
    status: statusOf(row, images),
    createdAt: row.createdAt.toISOString(),
    finishedAt: row.finishedAt?.toISOString(),
    createdBy: email ?? undefined,
    // The first line says what happened; what follows is the machine's own output.
    failure: row.failure?.split('\n')[0],
    secretsVersion: row.secretsVersion,
    rollbackOf: row.rollbackOf ?? undefined,
  };
}
