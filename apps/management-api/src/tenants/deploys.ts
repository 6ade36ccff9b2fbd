import { randomUUID } from 'node:crypto';
import { and, eq, sql } from 'drizzle-orm';
import type { Effect } from '../http/idempotency.ts';
import type { Store, Transaction } from '../store/database.ts';
import { releases, tenants, users } from '../store/schema.ts';
import { findOpenOperation, TenantBusy } from './operations.ts';
import { readSecretsVersion } from './secret-versions.ts';
import { nextState } from './state.ts';
import type { TenantRow } from './tenants.ts';

/** A release as it is stored. */
export type ReleaseRow = typeof releases.$inferSelect;

/** Another deploy of the tenant is under way. */
export class DeployInProgress extends Error {
  override readonly name = 'DeployInProgress';
  readonly releaseId: string;
  readonly startedAt: Date;
  /** E-mail address of who started it. */
  readonly startedBy: string | undefined;

  constructor(facts: {
    readonly releaseId: string;
    readonly startedAt: Date;
    readonly startedBy?: string | undefined;
  }) {
    const who = facts.startedBy === undefined ? '' : ` by ${facts.startedBy}`;
    super(
      `A deploy of this tenant${who} is under way since ${facts.startedAt.toISOString()}: release ${facts.releaseId}`,
    );
    this.releaseId = facts.releaseId;
    this.startedAt = facts.startedAt;
    this.startedBy = facts.startedBy;
  }
}

/** Another release runs than the caller expects. */
export class ReleaseMoved extends Error {
  override readonly name = 'ReleaseMoved';
  /** Number of the release that runs; 0: none. */
  readonly current: number;

  constructor(facts: { readonly expected: number; readonly current: number }) {
    const name = (number: number): string => (number === 0 ? 'no release' : `release ${number}`);
    super(`The tenant runs ${name(facts.current)} by now, not ${name(facts.expected)}`);
    this.current = facts.current;
  }
}

/** What a release is made of. */
export interface NewRelease {
  readonly image: string;
  readonly digest: string;
  /** Id of the user who asked for it. */
  readonly createdBy?: string | undefined;
  /** The owner's secrets as they were then. @defaultValue as they are now */
  readonly secretsVersion?: number | undefined;
  /** Number of the release that it brings back. */
  readonly rollbackOf?: number | undefined;
}

/**
 * Opens a release and puts the tenant into `deploying`.
 * @throws {DeployInProgress} when another is open
 * @throws {TenantBusy} while something else is being done to the tenant
 * @throws {ReleaseMoved} when another release runs than `expectedRelease`
 * @throws {TenantStateConflict} when the tenant's state allows no deploy
 */
export async function createRelease(
  deps: { readonly store: Store },
  request: NewRelease & {
    readonly tenantId: string;
    readonly expectedRelease?: number | undefined;
    /** Keeps the release's id. */
    readonly effect?: Pick<Effect, 'keep'> | undefined;
  },
): Promise<ReleaseRow> {
  const { tenantId, expectedRelease } = request;
  return await deps.store.db.transaction(async (tx) => {
    const [tenant] = await tx.select().from(tenants).where(eq(tenants.id, tenantId)).for('update');
    if (tenant === undefined) throw new Error(`No tenant ${tenantId}`);
    await refuseIfDeploying(tx, tenantId);
    const operation = await findOpenOperation(tx, tenantId);
    if (operation !== undefined) throw new TenantBusy({ what: operation.kind, since: operation.createdAt });
    if (expectedRelease !== undefined) await refuseIfMoved(tx, { tenant, expected: expectedRelease });
    const state = nextState(tenant.state, 'deploy_started');
    const release = await insertRelease(tx, { ...request, tenant });
    await tx.update(tenants).set({ state, failure: null, updatedAt: sql`now()` }).where(eq(tenants.id, tenantId));
    await request.effect?.keep(tx, release.id);
    return release;
  });
}

/** A release as it is now. */
export async function readRelease({ store }: { readonly store: Store }, releaseId: string): Promise<ReleaseRow> {
  const [release] = await store.db.select().from(releases).where(eq(releases.id, releaseId));
  if (release === undefined) throw new Error(`No release ${releaseId}`);
  return release;
}

/** The row of a new release, with the owner's secrets frozen. Call it with the tenant's row locked. */
export async function insertRelease(
  tx: Transaction,
  request: NewRelease & { readonly tenant: TenantRow },
): Promise<ReleaseRow> {
  const { tenant, image, digest, createdBy, rollbackOf } = request;
  const { id: tenantId, databaseLogin } = tenant;
  const secretsVersion = request.secretsVersion ?? (await readSecretsVersion(tx, { tenantId, kind: 'user' }));
  const [release] = await tx
    .insert(releases)
    .values({
      id: randomUUID(),
      tenantId,
      number: sql`(select coalesce(max(number), 0) + 1 from releases where tenant_id = ${tenantId})`,
      image,
      digest,
      status: 'deploying',
      secretsVersion,
      databaseLogin,
      rollbackOf: rollbackOf ?? null,
      createdBy: createdBy ?? null,
    })
    .returning();
  if (release === undefined) throw new Error(`No release of tenant ${tenantId}`);
  return release;
}

async function refuseIfDeploying(tx: Transaction, tenantId: string): Promise<void> {
  const [open] = await tx
    .select({ id: releases.id, createdAt: releases.createdAt, email: users.email })
    .from(releases)
    .leftJoin(users, eq(users.id, releases.createdBy))
    .where(and(eq(releases.tenantId, tenantId), eq(releases.status, 'deploying')));
  if (open === undefined) return;
  throw new DeployInProgress({ releaseId: open.id, startedAt: open.createdAt, startedBy: open.email ?? undefined });
}

async function refuseIfMoved(
  tx: Transaction,
  request: { readonly tenant: TenantRow; readonly expected: number },
): Promise<void> {
  const { tenant, expected } = request;
  const [row] =
    tenant.currentReleaseId === null
      ? []
      : await tx.select({ number: releases.number }).from(releases).where(eq(releases.id, tenant.currentReleaseId));
  const current = row?.number ?? 0;
  if (current !== expected) throw new ReleaseMoved({ expected, current });
}
