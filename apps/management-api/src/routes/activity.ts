import type { Handlers } from '../http/handlers.ts';
import { activities } from '../store/schema.ts';
import type { RouteDeps } from './deps.ts';

/** The handlers of `contract.activity`. Who did it is who the token says; the body's own word is not kept. */
export function activityHandlers({ store }: RouteDeps): Handlers['activity'] {
  return {
    report: async ({ user, body: { event, timestamp } }) => {
      await store.db.insert(activities).values({ userId: user.id, event, occurredAt: new Date(timestamp) });
      return undefined;
    },
  };
}
