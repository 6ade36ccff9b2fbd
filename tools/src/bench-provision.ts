// Provisions tenants as customers would: the real control plane serves in a process of its own, over a real Postgres, and
// makes everything at the stand-in for Fly.io, which has the real rate limits, sees new things late and loses some
// answers. Prints a table. `node dist/bench-provision.js [tenants]`, on built packages.
import { startControlPlane } from './bench-provision/control-plane.ts';
import { buyTenants } from './bench-provision/customers.ts';
import { startFakeFly } from './fake-fly/fake-fly.ts';

const wanted = Number(process.argv[2] ?? '1000');
if (!Number.isInteger(wanted) || wanted < 1) throw new Error('The number of tenants is a whole number above 0');
const row = (what: string, value: string | number, note = ''): void =>
  console.log(`${what.padEnd(34)} ${String(value).padStart(10)}  ${note}`.trimEnd());

const token = 'bench-token';
await using fly = await startFakeFly({ tokens: { [token]: 'bench' }, lagMs: 100 });
// Of each kind of thing: answers that get lost, failures before the work, and refusals for being too fast.
const failures = Math.ceil(wanted / 100);
const creations = ['app-create', 'address-create', 'volume-create'];
for (const action of creations) {
  fly.fail({ action, fault: { statusAfterWork: 500 }, times: failures });
  fly.fail({ action, fault: { cut: 'after-work' }, times: failures });
  fly.fail({ action, fault: { status: 503 }, times: failures });
  fly.fail({ action, fault: { status: 429, headers: { 'retry-after': '1' } }, times: failures });
}
const ordered = fly.faultsLeft();
await using cloud = await startControlPlane({ fly, token, organization: 'bench' });

const startedAt = performance.now();
const times = await buyTenants(cloud, { tenants: wanted });
const seconds = (performance.now() - startedAt) / 1000;

const requests = Array.from(fly.counts.actions.values()).reduce((sum, count) => sum + count, 0);
const created = creations.reduce((sum, action) => sum + (fly.counts.actions.get(action) ?? 0), 0);
const apps = Array.from(fly.apps.values());
const sum = (count: (app: (typeof apps)[number]) => number): number => apps.reduce((all, app) => all + count(app), 0);
const at = (share: number): string => `${((times[Math.floor((times.length - 1) * share)] ?? 0) / 1000).toFixed(1)} s`;

row('tenants', times.length, `${seconds.toFixed(1)} s, ${(times.length / seconds).toFixed(1)} a second`);
row('from payment to ready, median', at(0.5), `99 of 100 within ${at(0.99)}`);
row('requests to Fly.io', requests, `${(requests / times.length).toFixed(1)} a tenant`);
row(
  'refused for being too fast',
  (fly.counts.statuses.get(429) ?? 0) - failures * creations.length,
  'beyond the ordered',
);
row('failures ordered', ordered, `${ordered - fly.faultsLeft()} happened`);
row('creations repeated', created - 4 * times.length, 'an app, two addresses and a volume for each');
row('apps', apps.length);
row(
  'volumes',
  sum(({ volumes }) => volumes.size),
);
row(
  'addresses',
  sum(({ addresses }) => addresses.size),
  'shared IPv4 and IPv6',
);
const isExact =
  apps.length === wanted && apps.every(({ volumes, addresses }) => volumes.size === 1 && addresses.size === 2);
if (!isExact) {
  console.error('There is not exactly one of everything for each tenant');
  process.exitCode = 1;
}
