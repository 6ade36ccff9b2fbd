import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Store } from '../store/database.ts';
import { countThings } from './count-things.ts';

/** What this process measures, for Prometheus. Labels name routes, states and outcomes: nobody, and nothing secret. */
export interface Metrics {
  /** A request that was answered; `route` is a pattern. */
  observeRequest(request: {
    readonly method: string;
    readonly route: string;
    readonly status: number;
    readonly seconds: number;
  }): void;
  /** An event stream began; what it returns is called when it has ended. */
  openStream(): () => void;
  /** Prometheus' text format. */
  render(): Promise<{ readonly contentType: string; readonly body: string }>;
}

const buckets = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 30];

/** Measures one process. Counts of tenants and of what was done to them are taken from the database at each look. */
export function createMetrics({ store }: { readonly store: Store }): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const requests = new Histogram({
    name: 'sp_http_request_duration_seconds',
    help: 'Time until the answer, by route pattern.',
    labelNames: ['method', 'route', 'status'],
    buckets,
    registers,
  });
  const streams = new Gauge({ name: 'sp_event_streams', help: 'Event streams that are open.', registers });
  const connections = new Gauge({
    name: 'sp_database_connections',
    help: 'Connections of the pool; waiting: requests for one.',
    labelNames: ['state'],
    registers,
  });
  const failures = new Counter({
    name: 'sp_metrics_failures_total',
    help: 'Looks at the database for metrics that failed.',
    registers,
  });
  const things = {
    tenants: new Gauge({ name: 'sp_tenants', help: 'Tenants by state.', labelNames: ['state'], registers }),
    releases: new Gauge({ name: 'sp_releases', help: 'Deploys by outcome.', labelNames: ['status'], registers }),
    operations: new Gauge({
      name: 'sp_operations',
      help: 'Operations on tenants besides deploys, by outcome.',
      labelNames: ['kind', 'status'],
      registers,
    }),
  };

  return {
    observeRequest: ({ method, route, status, seconds }) => requests.observe({ method, route, status }, seconds),
    openStream: () => {
      streams.inc();
      let open = true;
      return () => {
        if (open) streams.dec();
        open = false;
      };
    },
    render: async () => {
      const { totalCount, idleCount, waitingCount } = store.pool;
      connections.set({ state: 'busy' }, totalCount - idleCount);
      connections.set({ state: 'idle' }, idleCount);
      connections.set({ state: 'waiting' }, waitingCount);
      try {
        const counts = await countThings(store);
        for (const [name, gauge] of Object.entries(things)) {
          gauge.reset();
          for (const { labels, count } of counts[name as keyof typeof things]) (gauge as Gauge).set(labels, count);
        }
      } catch {
        // What the process knows by itself is shown all the more.
        failures.inc();
      }
      return { contentType: registry.contentType, body: await registry.metrics() };
    },
  };
}
