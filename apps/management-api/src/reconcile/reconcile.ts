import { Client } from 'pg';
import type { Logger } from 'pino';
import type { Images } from '../images/registry.ts';
import type { Databases } from '../ports/databases.ts';
import type { Machines } from '../ports/machines.ts';
import type { Vault } from '../ports/vault.ts';
import type { Store } from '../store/database.ts';
import { describeFailure } from '../workflows/failure-class.ts';
import { compareDatabases } from './compare-databases.ts';
import { compareImages } from './compare-images.ts';
import { compareMachines } from './compare-machines.ts';
import type { Difference, Finding } from './finding.ts';
import { listGivenUp } from './list-given-up.ts';

// Any number; the same in every version of this program.
const lock = 7_300_004;

/** What {@link reconcile} compares. */
export interface ReconcileDeps {
  readonly store: Store;
  readonly vault: Vault;
  readonly databases: Databases;
  readonly machines: Pick<Machines, 'list' | 'listApps' | 'start' | 'stop' | 'databaseHost'>;
  readonly images: Pick<Images, 'listTenants' | 'remove'>;
  readonly logger: Pick<Logger, 'info' | 'warn'>;
}

/** What {@link reconcile} found. */
export interface ReconcileReport {
  /** Another process does it now: nothing was looked at. */
  readonly skipped: boolean;
  readonly findings: readonly Finding[];
  /** What could not be looked at, and why; one line each. */
  readonly unavailable: readonly {
    readonly what: 'machines' | 'databases' | 'images' | 'workflows';
    readonly reason: string;
  }[];
}

/**
 * Compares what the providers have with what the database says. With `repair` it does what is safe (see
 * {@link FindingKind}): nothing that holds an owner's data is deleted but what its owner has deleted. Tenants to which
 * something is being done are left to that. A repair that comes too late is undone by the next run.
 */
export async function reconcile(
  deps: ReconcileDeps,
  options: { readonly repair: boolean; readonly signal?: AbortSignal | undefined },
): Promise<ReconcileReport> {
  const { repair, signal = new AbortController().signal } = options;
  if (!repair) return await compareAll(deps, { repair, signal });
  // One at a time: two would both start what is missing.
  const client = new Client({ connectionString: deps.store.url, application_name: 'sp-management-api reconciler' });
  client.on('error', () => {});
  // A connection of its own: it is held as long as the slowest provider takes.
  await client.connect();
  try {
    const { rows } = await client.query<{ free: boolean }>('select pg_try_advisory_lock($1) as free', [lock]);
    if (rows[0]?.free !== true) return { skipped: true, findings: [], unavailable: [] };
    return await compareAll(deps, { repair, signal });
  } finally {
    // The lock ends with the connection.
    await client.end().catch(() => {});
  }
}

async function compareAll(
  deps: ReconcileDeps,
  { repair, signal }: { readonly repair: boolean; readonly signal: AbortSignal },
): Promise<ReconcileReport> {
  const findings: Finding[] = [];
  const unavailable: { what: 'machines' | 'databases' | 'images' | 'workflows'; reason: string }[] = [];
  const comparisons = [
    ['databases', compareDatabases],
    ['machines', compareMachines],
    ['images', compareImages],
    ['workflows', listGivenUp],
  ] as const;
  for (const [what, compare] of comparisons) {
    try {
      for await (const difference of until(signal, compare(deps))) {
        const finding = await settle(difference, { repair, signal });
        findings.push(finding);
        const { kind, tenantId: tenant, subject, outcome, failure } = finding;
        const line = { kind, tenant, subject, outcome, failure };
        if (outcome === 'repaired') deps.logger.info(line, 'repaired a difference between provider and database');
        else deps.logger.warn(line, 'provider and database differ');
      }
    } catch (error) {
      signal.throwIfAborted();
      unavailable.push({ what, reason: describeFailure(error) });
    }
  }
  return { skipped: false, findings, unavailable };
}

/** Stops waiting for a provider that does not answer. */
async function* until(signal: AbortSignal, differences: AsyncGenerator<Difference>): AsyncGenerator<Difference> {
  while (true) {
    const next = await unlessAborted(signal, () => differences.next());
    if (next.done === true) return;
    yield next.value;
  }
}

async function unlessAborted<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  signal.throwIfAborted();
  let stop = (): void => {};
  const aborted = new Promise<never>((_, fail) => {
    stop = () => fail(signal.reason as Error);
    signal.addEventListener('abort', stop);
  });
  try {
    return await Promise.race([work(), aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

async function settle(
  { repair, ...difference }: Difference,
  options: { readonly repair: boolean; readonly signal: AbortSignal },
): Promise<Finding> {
  const { signal } = options;
  if (!options.repair || repair === undefined) return { ...difference, outcome: 'reported' };
  try {
    await unlessAborted(signal, () => repair(signal));
    return { ...difference, outcome: 'repaired' };
  } catch (error) {
    signal.throwIfAborted();
    return { ...difference, outcome: 'failed', failure: describeFailure(error) };
  }
}
