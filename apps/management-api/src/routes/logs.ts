import { setTimeout as sleep } from 'node:timers/promises';
import type { LogEntry } from '@sp/cloud-api/contract';
import { and, desc, eq } from 'drizzle-orm';
import { ApiFailure } from '../http/errors.ts';
import type { NumberedEvent } from '../http/event-stream.ts';
import type { Handlers } from '../http/handlers.ts';
import { releases, tenants } from '../store/schema.ts';
import type { ReleaseRow } from '../tenants/deploys.ts';
import type { TenantRow } from '../tenants/tenants.ts';
import type { RouteDeps } from './deps.ts';
import { afterPosition, type LogPosition, readPosition, writePosition } from './log-position.ts';
import { resolveTenant } from './resolve-tenant.ts';

const defaultTail = 100;
/** How often a follower looks whether a machine that ended was replaced or started again, in ms. */
const lookMs = 1000;

/** The handlers of `contract.tenants` that show what a machine wrote. */
export function logHandlers(deps: RouteDeps): Pick<Handlers['tenants'], 'getLogs' | 'followLogs'> {
  const { machines } = deps;
  return {
    getLogs: async ({ params, user, query, signal }) => {
      const tenant = await resolveTenant(deps, { id: params.id, user });
      const release = await pickRelease(deps, { tenant, number: query.release });
      if (release === undefined) return [];
      const { tail = defaultTail } = query;
      const entries: LogEntry[] = [];
      const options = { tail, since: dateOf(query.since), signal };
      for await (const line of machines.readLogs(tenant.appName, release.id, options)) {
        entries.push({ ...line, releaseNumber: release.number });
      }
      return entries;
    },

    followLogs: async ({ params, user, query, request }) => {
      const tenant = await resolveTenant(deps, { id: params.id, user });
      const from = readPosition(request.headers.get('last-event-id') ?? '');
      const number = query.release ?? from?.releaseNumber;
      // A release that is gone by now leaves a follower who was there before with what runs.
      const first = await pickRelease(deps, { tenant, number }).catch((error: unknown) => {
        if (query.release !== undefined) throw error;
        return pickRelease(deps, { tenant, number: undefined });
      });
      const over = first !== undefined && (first.status === 'failed' || first.status === 'superseded');
      return {
        eventName: undefined,
        ended: query.release !== undefined && from !== undefined && over,
        open: (signal) => followLines(deps, { tenant, first, from, query, signal }),
      };
    },
  };
}

async function* followLines(
  deps: RouteDeps,
  options: {
    readonly tenant: TenantRow;
    readonly first: ReleaseRow | undefined;
    /** The last line that the client has. */
    readonly from: LogPosition | undefined;
    readonly query: {
      readonly tail?: number | undefined;
      readonly since?: string | undefined;
      readonly release?: number | undefined;
    };
    readonly signal: AbortSignal;
  },
): AsyncGenerator<NumberedEvent<LogEntry>> {
  const { tenant, query, signal } = options;
  let release = options.first;
  let last = options.from;
  let { tail = defaultTail, since } = query as { tail?: number | undefined; since?: string | undefined };
  while (!signal.aborted) {
    if (release !== undefined) {
      const resumed = last?.releaseNumber === release.number ? last : undefined;
      const begin = resumed === undefined ? { tail, since: dateOf(since) } : { since: new Date(resumed.time) };
      const lines = deps.machines.readLogs(tenant.appName, release.id, { ...begin, follow: true, signal });
      for await (const { line, position } of afterPosition(lines, { releaseNumber: release.number, last: resumed })) {
        if (signal.aborted) return;
        last = position;
        yield { sequence: writePosition(position), event: { ...line, releaseNumber: release.number } };
      }
      // The machine that was asked for has ended.
      if (query.release !== undefined) return;
    }
    await sleep(lookMs, undefined, { signal }).catch(() => {});
    if (signal.aborted || (await isDeleted(deps, tenant.id))) return;
    const next = await pickRelease(deps, { tenant, number: undefined });
    // Of a machine that takes over everything is news, and nothing of it was written before.
    if (next?.id !== release?.id) [release, tail, since] = [next, Number.MAX_SAFE_INTEGER, undefined];
  }
}

/** The release of a number; without one what runs, else what was deployed last. */
async function pickRelease(
  { store }: Pick<RouteDeps, 'store'>,
  { tenant, number }: { readonly tenant: TenantRow; readonly number: number | undefined },
): Promise<ReleaseRow | undefined> {
  const ofTenant = eq(releases.tenantId, tenant.id);
  if (number !== undefined) {
    const [release] = await store.db
      .select()
      .from(releases)
      .where(and(ofTenant, eq(releases.number, number)));
    if (release !== undefined) return release;
    throw new ApiFailure('There is no such release.', { status: 404, code: 'release_not_found' });
  }
  const [current] = await store.db
    .select({ release: releases })
    .from(tenants)
    .innerJoin(releases, eq(releases.id, tenants.currentReleaseId))
    .where(eq(tenants.id, tenant.id));
  if (current !== undefined) return current.release;
  const [latest] = await store.db.select().from(releases).where(ofTenant).orderBy(desc(releases.number)).limit(1);
  return latest;
}

async function isDeleted({ store }: Pick<RouteDeps, 'store'>, tenantId: string): Promise<boolean> {
  const [row] = await store.db.select({ state: tenants.state }).from(tenants).where(eq(tenants.id, tenantId));
  return row === undefined || row.state === 'deleted';
}

function dateOf(time: string | undefined): Date | undefined {
  return time === undefined ? undefined : new Date(time);
}
