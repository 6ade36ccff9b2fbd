import { pino } from 'pino';
import { createSandboxBilling } from '../src/billing/sandbox.ts';
import { type BillingWorld, billingSuite } from './billing.suite.ts';
import { startTestDatabase } from './test-database.ts';

async function start(): Promise<BillingWorld> {
  const database = await startTestDatabase();
  const received: { body: Uint8Array; signature: string | null }[] = [];
  const secret = 'pdl_ntfset_sandbox';
  const billing = createSandboxBilling({
    store: database.store,
    baseUrl: 'http://127.0.0.1:7300',
    webhookSecret: secret,
    logger: pino({ level: 'silent' }),
    fetch: async (_url, { body, headers }) => {
      received.push({ body: body as Uint8Array, signature: new Headers(headers).get('paddle-signature') });
      return Response.json({});
    },
  });
  return {
    billing,
    secret,
    priceId: 'pri_sandbox_starter',
    received: async () => received,
    pay: async (id) => {
      const body = new URLSearchParams({ action: 'pay' });
      await billing.pages.fetch(new Request(`http://127.0.0.1:7300/sandbox/checkout/${id}`, { method: 'POST', body }));
    },
    endPeriod: async () => {},
    stop: () => database.close(),
  };
}

billingSuite('sandbox', start);
