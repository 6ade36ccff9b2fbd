/** How long is kept what syncs replaced and deleted, and with it how far back they can be undone. */
export interface SyncRetention {
  /** The newest syncs and undoings that are kept, however old they are; at least 1. @defaultValue 20 */
  readonly syncs?: number | undefined;
  /** Days for which all of them are kept, however many they are. @defaultValue 30 */
  readonly days?: number | undefined;
}

export interface Retention {
  readonly syncs: number;
  readonly days: number;
}

export function withRetention({ syncs = 20, days = 30 }: SyncRetention = {}): Retention {
  return { syncs: Math.max(1, syncs), days: Math.max(0, days) };
}
