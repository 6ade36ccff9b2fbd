import type { Notices } from '../store/notices.ts';

/** An answer as it is sent. */
export interface KeptAnswer {
  /** JSON. */
  readonly body: string;
  /** Without it the answer has none. */
  readonly etag: string | undefined;
}

/** A read of the database that is under way. */
export interface Reading {
  /** Keeps what came of it, unless what it read may have changed since it began. */
  keep(key: string, answer: KeptAnswer): void;
}

/** Answers about a user's tenants, kept while nothing has changed that they are made of. */
export interface AnswerCache {
  find(userId: string, key: string): KeptAnswer | undefined;
  /** To be called before anything is read; `undefined`: what is read cannot be kept. */
  begin(userId: string): Reading | undefined;
  /** Forgets what is kept of a user, and what is being read. */
  drop(userId: string): void;
}

/** The answers of one user. While it is in the cache nothing has changed: a change takes it out, for good. */
interface Kept {
  readonly answers: Map<string, KeptAnswer>;
  /** Of the process's own clock, in ms. */
  readonly until: number;
  bytes: number;
}

/** A map, a record and what belongs to them. */
const userBytes = 500;
const answerBytes = 200;

/**
 * Keeps answers while every change in the store is heard. A read that began before a change has the record that the
 * change took out of the cache, so what it read is not kept after it.
 */
export function createAnswerCache(options: {
  readonly notices: Notices;
  /** The end of what it does. */
  readonly signal?: AbortSignal | undefined;
  /** So long an answer is kept at most, should a change be told in no way, in ms. @defaultValue 10000 */
  readonly maxAgeMs?: number | undefined;
  /** @defaultValue 10000 */
  readonly maxUsers?: number | undefined;
  /** @defaultValue 32 MiB */
  readonly maxBytes?: number | undefined;
  /** Milliseconds from any start that never go back. @defaultValue `performance.now` */
  readonly now?: (() => number) | undefined;
}): AnswerCache {
  const { notices, signal, maxAgeMs = 10_000, maxUsers = 10_000, maxBytes = 32 * 1024 ** 2 } = options;
  const now = options.now ?? (() => performance.now());
  // The oldest first.
  const users = new Map<string, Kept>();
  let bytes = 0;

  const drop = (userId: string): void => {
    const kept = users.get(userId);
    if (kept === undefined) return;
    users.delete(userId);
    bytes -= kept.bytes;
  };
  const clear = (): void => {
    users.clear();
    bytes = 0;
  };
  const unsubscribe = notices.subscribe((notice) => {
    if (notice === undefined) clear();
    else if (notice.kind === 'tenants' && notice.userId !== undefined) drop(notice.userId);
  });
  signal?.addEventListener(
    'abort',
    () => {
      unsubscribe();
      // From here on no change is heard.
      clear();
    },
    { once: true },
  );

  /** Makes room, and takes out what is over. */
  const shrink = (): void => {
    const moment = now();
    for (const [userId, { until }] of users) {
      if (until > moment && users.size <= maxUsers && bytes <= maxBytes) return;
      drop(userId);
    }
  };

  return {
    drop,
    find: (userId, key) => {
      const kept = users.get(userId);
      return kept !== undefined && kept.until > now() ? kept.answers.get(key) : undefined;
    },
    begin: (userId) => {
      if (!notices.complete || signal?.aborted === true) return undefined;
      const known = users.get(userId);
      const kept =
        known !== undefined && known.until > now()
          ? known
          : { answers: new Map<string, KeptAnswer>(), until: now() + maxAgeMs, bytes: userBytes };
      if (kept !== known) {
        drop(userId);
        users.set(userId, kept);
        bytes += userBytes;
        shrink();
      }
      return {
        keep: (key, answer) => {
          if (users.get(userId) !== kept) return;
          const before = kept.answers.get(key);
          // Two bytes for a character, at most.
          const size = answerBytes + 2 * (key.length + answer.body.length);
          const growth = size - (before === undefined ? 0 : answerBytes + 2 * (key.length + before.body.length));
          kept.answers.set(key, answer);
          kept.bytes += growth;
          bytes += growth;
          shrink();
        },
      };
    },
  };
}
