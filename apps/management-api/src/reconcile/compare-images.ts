import { tenants } from '../store/schema.ts';
import type { Difference } from './finding.ts';
import type { ReconcileDeps } from './reconcile.ts';

/** Images whose tenant was deleted, or never was. */
export async function* compareImages({ store, images }: ReconcileDeps): AsyncGenerator<Difference> {
  const withImages = await images.listTenants();
  if (withImages.length === 0) return;
  const known = await store.db.select({ id: tenants.id, state: tenants.state }).from(tenants);
  const states = new Map(known.map(({ id, state }) => [id, state]));
  for (const subject of withImages) {
    const state = states.get(subject);
    if (state === 'deleted') {
      yield { kind: 'images_unexpected', tenantId: subject, subject, repair: () => images.remove(subject) };
    } else if (state === undefined) yield { kind: 'images_unexpected', subject };
  }
}
