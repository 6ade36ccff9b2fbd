import { createHmac } from 'node:crypto';
import { idempotencyKeyHeader } from '@sp/cloud-api/contract';
import { and, eq, isNotNull, lt, type SQL, sql } from 'drizzle-orm';
import type { Vault } from '../ports/vault.ts';
import type { Store } from '../store/database.ts';
import { idempotencyKeys } from '../store/schema.ts';
import { ApiFailure, invalidRequest } from './errors.ts';
import { type Presence, presenceLockSpace } from './presence.ts';

/** The header of an answer that was given before. */
export const replayedHeader = 'idempotency-replayed';

const keepHours = 24;
// Longer than any request may take: what holds a key beyond it is a process that died without its end being seen.
const abandonedMinutes = 5;
const keyPattern = /^[\x21-\x7e]{1,255}$/;
const keptHeaders = ['content-type', 'etag'];

/** What is done once for each key. */
export interface KeyedRequest {
  readonly request: Request;
  readonly userId: string;
  /** The body as it was understood. */
  readonly body: unknown;
}

/**
 * Answers a mutation that carries an `Idempotency-Key` once: the same request again gets the same answer for a day. A
 * request that failed had no effect, so its key is free again.
 * @throws {ApiFailure} 409 idempotency_key_in_use while the first is running, 422 idempotency_key_reused for another request
 */
export async function answerOnce(
  deps: { readonly store: Store; readonly vault: Vault; readonly presence: Pick<Presence, 'announce'> },
  keyed: KeyedRequest,
  answer: () => Promise<Response>,
): Promise<Response> {
  const key = readKey(keyed.request);
  if (key === undefined) return await answer();
  const { store, vault } = deps;
  const { userId } = keyed;
  const fingerprint = fingerprintOf(keyed, vault);
  const own = and(eq(idempotencyKeys.userId, userId), eq(idempotencyKeys.key, key));
  const context = `idempotency|${userId}|${key}`;

  await forgetOld(store, userId);
  const holder = await deps.presence.announce();
  const take = async (): Promise<boolean> => {
    const values = { userId, key, fingerprint, holder };
    return (await store.db.insert(idempotencyKeys).values(values).onConflictDoNothing().returning()).length > 0;
  };
  if (!(await take())) {
    const [known] = await store.db.select().from(idempotencyKeys).where(own);
    if (known !== undefined && known.fingerprint !== fingerprint) throw keyReused();
    if (known !== undefined && known.sealedAnswer !== null) {
      return replay((await vault.open(known.sealedAnswer, context)).toString('utf8'));
    }
    // Whoever held it may be gone.
    if (!(await forgetAbandoned(store, own)) || !(await take())) throw keyInUse();
  }
  try {
    const response = await answer();
    const stored = await store.db
      .update(idempotencyKeys)
      .set({ status: 'answered', sealedAnswer: await vault.seal(await serialize(response), context) })
      .where(and(own, eq(idempotencyKeys.holder, holder)))
      .returning({ key: idempotencyKeys.key });
    if (stored.length === 0) throw keyInUse();
    return response;
  } catch (error) {
    const mine = and(own, eq(idempotencyKeys.holder, holder), eq(idempotencyKeys.status, 'running'));
    await store.db.delete(idempotencyKeys).where(mine);
    throw error;
  }
}

/** Whether a request asks to be answered once. */
export function hasKey(request: Request): boolean {
  return request.method !== 'GET' && request.method !== 'HEAD' && request.headers.has(idempotencyKeyHeader);
}

function readKey(request: Request): string | undefined {
  const key = request.headers.get(idempotencyKeyHeader);
  if (key === null || !hasKey(request)) return undefined;
  if (!keyPattern.test(key)) throw invalidRequest(`${idempotencyKeyHeader}: expected 1 to 255 visible characters.`);
  return key;
}

// Keyed: a body can hold secrets that are short enough to be guessed.
function fingerprintOf({ request, body }: KeyedRequest, vault: Vault): string {
  const { pathname } = new URL(request.url);
  const parts = [request.method, pathname, JSON.stringify(body ?? null), request.headers.get('if-match') ?? ''];
  return createHmac('sha256', vault.derive('idempotency')).update(JSON.stringify(parts)).digest('base64url');
}

async function forgetOld(store: Store, userId: string): Promise<void> {
  const ofUser = eq(idempotencyKeys.userId, userId);
  const older = (interval: string) => lt(idempotencyKeys.createdAt, sql`now() - ${interval}::interval`);
  await store.db.delete(idempotencyKeys).where(and(ofUser, older(`${keepHours} hours`)));
  await store.db
    .delete(idempotencyKeys)
    .where(and(ofUser, eq(idempotencyKeys.status, 'running'), older(`${abandonedMinutes} minutes`)));
}

/** Frees a key whose process has ended: the lock that it held while it lived is free. */
async function forgetAbandoned(store: Store, own: SQL | undefined): Promise<boolean> {
  const gone = sql`pg_try_advisory_xact_lock(${presenceLockSpace}, ${idempotencyKeys.holder})`;
  const freed = await store.db
    .delete(idempotencyKeys)
    .where(and(own, eq(idempotencyKeys.status, 'running'), isNotNull(idempotencyKeys.holder), gone))
    .returning({ key: idempotencyKeys.key });
  return freed.length > 0;
}

async function serialize(response: Response): Promise<Buffer> {
  const headers = keptHeaders.flatMap((name) => {
    const value = response.headers.get(name);
    return value === null ? [] : [[name, value]];
  });
  const text = await response.clone().text();
  return Buffer.from(JSON.stringify({ status: response.status, headers, body: text === '' ? null : text }));
}

function replay(stored: string): Response {
  const { status, headers, body } = JSON.parse(stored) as {
    status: number;
    headers: [string, string][];
    body: string | null;
  };
  return new Response(body, { status, headers: [...headers, [replayedHeader, 'true']] });
}

function keyInUse(): ApiFailure {
  return new ApiFailure('The first request with this key is still running.', {
    status: 409,
    code: 'idempotency_key_in_use',
    headers: { 'retry-after': '1' },
  });
}

function keyReused(): ApiFailure {
  return new ApiFailure('The key was used for another request.', { status: 422, code: 'idempotency_key_reused' });
}
