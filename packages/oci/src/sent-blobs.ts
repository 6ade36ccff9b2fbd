import type { Digest } from './digest.ts';

/** Remembers what was sent, so that it is not asked for again by the push that follows. */
export interface SentBlobs {
  add(repository: string, digest: Digest): void;
  has(repository: string, digest: Digest): boolean;
}

/** Registries clean up what no manifest names; none is as quick as this. A client that lives long must not fill up either. */
const memoryMilliseconds = 10 * 60 * 1000;

export function createSentBlobs(): SentBlobs {
  // In the order of sending.
  const times = new Map<string, number>();
  const forget = (): void => {
    for (const [name, time] of times) {
      if (Date.now() - time < memoryMilliseconds) return;
      times.delete(name);
    }
  };
  return {
    add(repository, digest) {
      forget();
      const name = `${repository}@${digest}`;
      times.delete(name);
      times.set(name, Date.now());
    },
    has(repository, digest) {
      forget();
      return times.has(`${repository}@${digest}`);
    },
  };
}
