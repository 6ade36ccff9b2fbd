import { createHmac } from 'node:crypto';
import { idempotencyKeyHeader } from '@sp/cloud-api/contract';
import { and, eq, isNotNull, isNull, lt, or, type SQL, sql } from 'drizzle-orm';
import type { Vault } from '../ports/vault.ts';
import type { Store, Transaction } from '../store/database.ts';
import { idempotencyKeys } from '../store/schema.ts';
import { ApiFailure, clientGoneStatus, invalidRequest } from './errors.ts';
import { failureOf } from './failure-of.ts';
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

/** What a request has made, for the same request when it comes again and this one never answered. */
export interface Effect {
  /** What the first one has made, as it was kept; `undefined`: nothing yet. */
  readonly made: unknown;
  /**
   * Keeps what is being made, in the transaction that makes it: JSON, also with secrets.
   * @throws {ApiFailure} 409 idempotency_key_in_use when another process has the key by now: nothing may be made
   */
  keep(tx: Pick<Transaction, 'update'>, made: unknown): Promise<void>;
}

/** Of a request that may be done again. */
export const unkeptEffect: Effect = { made: undefined, keep: async () => {} };

/**
 * Answers a mutation that carries an `Idempotency-Key` once: the same request again gets the same answer for a day. A
 * request that was refused had no effect, so its key is free again. Where no answer came of it, since the process died
 * or failed, the same request again goes on with what the first one had made.
 * @throws {ApiFailure} 409 idempotency_key_in_use while the first is running, 422 idempotency_key_reused for another request
 */
export async function answerOnce(
  deps: { readonly store: Store; readonly vault: Vault; readonly presence: Pick<Presence, 'announce'> },
  keyed: KeyedRequest,
  answer: (effect: Effect) => Promise<Response>,
): Promise<Response> {
  const key = readKey(keyed.request);
  if (key === undefined) return await answer(unkeptEffect);
  const { store, vault } = deps;
  const { userId } = keyed;
  const fingerprint = fingerprintOf(keyed, vault);
  const own = and(eq(idempotencyKeys.userId, userId), eq(idempotencyKeys.key, key));
  const context = `idempotency|${userId}|${key}`;

  await forgetOld(store, userId);
  const holder = await deps.presence.announce();
  const mine = and(own, eq(idempotencyKeys.holder, holder), eq(idempotencyKeys.status, 'running'));
  const take = async (): Promise<boolean> => {
    const values = { userId, key, fingerprint, holder };
    return (await store.db.insert(idempotencyKeys).values(values).onConflictDoNothing().returning()).length > 0;
  };
  let left: { readonly sealedEffect: Buffer | null } | undefined;
  if (!(await take())) {
    const [known] = await store.db.select().from(idempotencyKeys).where(own);
    if (known !== undefined && known.fingerprint !== fingerprint) throw keyReused();
    if (known !== undefined && known.sealedAnswer !== null) {
      return replay((await vault.open(known.sealedAnswer, context)).toString('utf8'));
    }
    // Whoever held it may be gone, or has freed it meanwhile.
    left = await takeAbandoned(store, { own, holder });
    if (left === undefined && (known !== undefined || !(await take()))) throw keyInUse();
  }
  const keep: Effect['keep'] = async (tx, value) => {
    const sealedEffect = await vault.seal(Buffer.from(JSON.stringify(value)), context);
    const kept = await tx
      .update(idempotencyKeys)
      .set({ sealedEffect })
      .where(mine)
      .returning({ key: idempotencyKeys.key });
    if (kept.length === 0) throw keyInUse();
  };
  try {
    const sealed = left?.sealedEffect ?? undefined;
    const made: unknown = sealed && JSON.parse((await vault.open(sealed, context)).toString('utf8'));
    const response = await answer({ made, keep });
    const stored = await store.db
      .update(idempotencyKeys)
      .set({
        status: 'answered',
        sealedEffect: null,
        sealedAnswer: await vault.seal(await serialize(response), context),
      })
      .where(mine)
      .returning({ key: idempotencyKeys.key });
    if (stored.length === 0) throw keyInUse();
    return response;
  } catch (error) {
    // A refusal is the end of it. Anything else says nothing of what was made: that waits for who asks again.
    const nothingMade = isRefusal(error) ? mine : and(mine, isNull(idempotencyKeys.sealedEffect));
    await store.db.delete(idempotencyKeys).where(nothingMade);
    await store.db.update(idempotencyKeys).set({ holder: null }).where(mine);
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
  const running = and(ofUser, eq(idempotencyKeys.status, 'running'), isNull(idempotencyKeys.sealedEffect));
  await store.db.delete(idempotencyKeys).where(and(running, older(`${abandonedMinutes} minutes`)));
}

/** Takes a key whose process has ended (the lock that it held while it lived is free), with what that one had made. */
async function takeAbandoned(
  store: Store,
  { own, holder }: { readonly own: SQL | undefined; readonly holder: number },
): Promise<{ readonly sealedEffect: Buffer | null } | undefined> {
  const gone = sql`pg_try_advisory_xact_lock(${presenceLockSpace}, ${idempotencyKeys.holder})`;
  // One that did not get as far as an answer gives its key back by itself.
  const left = and(isNull(idempotencyKeys.holder), isNotNull(idempotencyKeys.sealedEffect));
  const [taken] = await store.db
    .update(idempotencyKeys)
    .set({ holder, createdAt: sql`now()` })
    .where(and(own, eq(idempotencyKeys.status, 'running'), or(left, and(isNotNull(idempotencyKeys.holder), gone))))
    .returning({ sealedEffect: idempotencyKeys.sealedEffect });
  return taken;
}

function isRefusal(error: unknown): boolean {
  const { status, code } = failureOf(error);
  return status < 500 && status !== clientGoneStatus && code !== keyInUse().code;
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
