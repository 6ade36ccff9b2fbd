import type { TenantInfo } from '@sp/cloud-api';
import { describeState, type Tone } from './words.ts';

/** What needs somebody comes first, then what something is being done to. */
const order: Readonly<Record<Tone, number>> = { bad: 0, busy: 1, quiet: 2, good: 2 };

const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' });

function rank({ state = '' }: TenantInfo): number {
  return order[describeState(state).tone];
}

/** The tenants of a state, whose name, address or region has a text; in the order in which they are shown. */
export function chooseTenants(
  tenants: readonly TenantInfo[],
  { state, text }: { readonly state: string | undefined; readonly text: string },
): TenantInfo[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return tenants
    .filter((tenant) => state === undefined || tenant.state === state)
    .filter(({ id, name, hostname = '', region = '' }) => {
      const own = `${name} ${hostname} ${region} ${id}`.toLowerCase();
      return words.every((word) => own.includes(word));
    })
    .sort((a, b) => rank(a) - rank(b) || collator.compare(a.name, b.name));
}

/** How many tenants are in each state, in the same order. */
export function countStates(tenants: readonly TenantInfo[]): readonly (readonly [state: string, count: number])[] {
  const counts = new Map<string, number>();
  for (const { state = '' } of tenants) counts.set(state, (counts.get(state) ?? 0) + 1);
  return [...counts].sort(
    ([a], [b]) => order[describeState(a).tone] - order[describeState(b).tone] || (a < b ? -1 : 1),
  );
}
