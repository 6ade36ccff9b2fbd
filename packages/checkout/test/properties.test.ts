import { createCloudApiClient, isCloudApiError } from '@sp/cloud-api';
import * as fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { followSession } from '../src/follow-session.ts';
import { isCheckoutError, resumeCheckout, runCheckoutCallbackFlow, waitForProvisioning } from '../src/index.ts';
import { outcomeOfStatus } from '../src/provisioning-outcome.ts';
import { readCallback } from '../src/read-callback.ts';

// Many runs on a busy computer; a hang is longer.
const patience = { timeout: 300_000 };

const checkout = { checkoutUrl: 'https://pay.test/', transactionId: 'txn_1', checkoutSessionId: 'cs_1' };
const oneLine = /^[^\p{Cc}\p{Zl}\p{Zp}]{1,1000}$/u;
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.constantFrom('', '__proto__', '\u001b]0;x\u0007', 'a\nb\u2028c', '<img src=x>', 'x'.repeat(5_000)),
);
const known = fc.constantFrom('txn_1', 'cs_1', 't_1', 'pending', 'completed', 'running', 'failed', 'awaiting_deploy');
const names = fc.constantFrom('error', 'status', 'tenant_id', 'transaction_id', 'checkout_session_id');
const query = fc.array(fc.tuple(fc.oneof(names, text), fc.oneof(known, text)), { maxLength: 6 });

test('any callback is one of four things, and only the ids of this checkout complete it', () => {
  fc.assert(
    fc.property(query, (pairs) => {
      const params = new URLSearchParams(pairs);
      const callback = readCallback(params, checkout);
      switch (callback.kind) {
        case 'completed':
          expect(params.get('transaction_id')).toBe('txn_1');
          expect(callback.tenantId).toBe(params.get('tenant_id'));
          break;
        case 'pending':
          expect([params.get('transaction_id'), params.get('checkout_session_id')].some(Boolean)).toBe(true);
          break;
        case 'declined':
          expect(callback.reason).toMatch(oneLine);
          break;
        case 'invalid':
          expect(callback.problem).toMatch(oneLine);
      }
    }),
    { numRuns: 1_000 },
  );
});

test('any status is an outcome, none yet, or one named error of one line', () => {
  const status = fc.record(
    { status: fc.oneof(known, text), message: text, appUrl: text, secretsUrl: text },
    { requiredKeys: ['status'] },
  );
  fc.assert(
    fc.property(text, status, (tenantId, now) => {
      try {
        const outcome = outcomeOfStatus(tenantId, now);
        if (outcome !== undefined) expect(typeof outcome.needsDeploy).toBe('boolean');
      } catch (error) {
        if (!isCheckoutError(error)) throw error;
        expect(error.code).toBe('SP_CHECKOUT_PROVISIONING_FAILED');
        expect(error.message).toMatch(oneLine);
      }
    }),
    { numRuns: 1_000 },
  );
});

const member = fc.constantFrom('tenant_id', 'tenant_name', 'event_type', 'status', 'message', 'data', '__proto__');
const eventType = fc.constantFrom('infrastructure_ready', 'tenant_ready', 'provisioning_failed', 'newer_step');
const value = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(null, true, -1, 0.5, []),
    known,
    text,
    fc.dictionary(fc.oneof(member, fc.string()), tie('value'), { maxKeys: 6 }),
  ),
})).value;
const event = fc.tuple(eventType, text, text).map(([event_type, message, tenant_name]) => ({
  checkout_session_id: 'cs_1',
  tenant_id: 't_1',
  tenant_name,
  event_type,
  status: 'provisioning',
  message,
}));
const stream = fc
  .array(fc.oneof(event, value), { maxLength: 6 })
  .map((data) => data.map((item) => `event: provisioning\ndata: ${JSON.stringify(item)}\n\n`).join(''));
const status = fc
  .oneof(
    fc.record({ data: fc.record({ status: known, message: text }) }),
    fc.record({ error: fc.record({ code: text, message: text }) }),
    value,
  )
  .map((json) => JSON.stringify(json));
const code = fc.constantFrom(200, 200, 200, 401, 404, 409, 500);

interface Server {
  readonly code: number;
  readonly stream: string;
  readonly body: string;
  readonly cut: number;
}

const server = fc.record({ code, stream, body: status, cut: fc.oneof(fc.constant(0), fc.nat(30)) });

/** The real client before a server that answers so. */
function clientOf({ code, stream, body, cut }: Server): ReturnType<typeof createCloudApiClient> {
  const answer = async (url: string | URL | Request): Promise<Response> => {
    const events = (url instanceof Request ? url.url : url.toString()).endsWith('/events');
    const whole = events ? stream : body;
    const headers = { 'content-type': events ? 'text/event-stream' : 'application/json' };
    return new Response(whole.slice(0, whole.length - cut), { status: code, headers });
  };
  return createCloudApiClient({ environment: 'local', token: 'planted-token', retry: 0, fetch: answer });
}

function checkFailure(error: unknown): void {
  if (!isCheckoutError(error) && !isCloudApiError(error)) throw error;
  expect(error.message).toMatch(oneLine);
  expect(JSON.stringify(error)).not.toContain('planted-token');
}

// A server that says nothing of use is waited for; that ends by the time.
const timeoutMs = 30;

test('resuming and waiting before any server end in a result or one named error', patience, async () => {
  await fc.assert(
    fc.asyncProperty(server, async (answers) => {
      const api = clientOf(answers);
      const ends = [
        resumeCheckout({ api, sessionId: 'cs_1', timeoutMs }),
        waitForProvisioning({ api, tenantId: 't_1', timeoutMs, pollIntervalMs: 1 }),
      ];
      for (const end of await Promise.allSettled(ends)) {
        if (end.status === 'rejected') checkFailure(end.reason);
        else expect(typeof end.value.needsDeploy).toBe('boolean');
      }
      expect('polluted' in {}).toBe(false);
      expect(Object.getPrototypeOf({})).toBe(Object.prototype);
    }),
    { numRuns: 60 },
  );
});

test(
  'a flow before any server and any callback opens nothing but web addresses, and ends by name',
  patience,
  async () => {
    const address = fc.oneof(
      fc.constantFrom('https://pay.test/x', 'file:///bin/sh', 'javascript:alert(1)', 'https://x/\u001b]0;x', '--help'),
      text,
      fc.webUrl(),
    );
    await fc.assert(
      fc.asyncProperty(server, address, query, async (answers, checkoutUrl, pairs) => {
        const opened: string[] = [];
        let redirectUri = '';
        const outcome = await runCheckoutCallbackFlow({
          api: clientOf(answers),
          createCheckout: async (request) => {
            ({ redirectUri } = request);
            return { ...checkout, checkoutUrl };
          },
          openBrowser: async (url) => {
            opened.push(url);
            await fetch(`${redirectUri}?${new URLSearchParams(pairs)}`).then((page) => page.text());
          },
          timeoutMs,
        }).then(
          ({ tenantId }) => tenantId,
          (error: unknown) => {
            checkFailure(error);
            return undefined;
          },
        );
        for (const url of opened) expect(url).toMatch(/^https?:[^\s\p{Cc}]+$/iu);
        if (outcome !== undefined) expect(outcome).not.toBe('');
      }),
      { numRuns: 40 },
    );
  },
);

test.each([
  [404, 'checkout_not_found', 'SP_API_NOT_FOUND'],
  [410, 'expired', 'SP_API_GONE'],
])('a session that is gone (%s, %s) is asked for once', async (code, named, expected) => {
  const body = JSON.stringify({ error: { code: named, message: 'There is no such checkout.' } });
  let asked = 0;
  const api = createCloudApiClient({
    environment: 'local',
    token: 'planted-token',
    retry: 0,
    fetch: () => {
      asked += 1;
      return Promise.resolve(new Response(body, { status: code, headers: { 'content-type': 'application/json' } }));
    },
  });
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const session = { checkoutSessionId: 'cs_none', transactionId: 'txn_1', onEvent: () => undefined };
  await expect(followSession({ api, ...session, signal: stop.signal, retryMs: 20 })).rejects.toMatchObject({
    code: expected,
    message: expect.stringContaining('There is no such checkout.') as string,
  });
  expect(asked).toBe(1);
});

test('a 404 of a proxy after the first event is no end: the stream is asked for again', async () => {
  const eventOf = (id: number, type: string): string => {
    const data = { checkout_session_id: 'cs_1', tenant_id: 't_1', tenant_name: 'site', event_type: type, status: 'x' };
    return `id: ${id}\nevent: provisioning\ndata: ${JSON.stringify(data)}\n\n`;
  };
  const stream = (text: string): Response => new Response(text, { headers: { 'content-type': 'text/event-stream' } });
  const page = (): Response =>
    new Response('<html><h1>404 Not Found</h1></html>', { status: 404, headers: { 'content-type': 'text/html' } });
  let asked = 0;
  const api = createCloudApiClient({
    environment: 'local',
    token: 'planted-token',
    retry: 0,
    fetch: () => {
      asked += 1;
      if (asked === 1) return Promise.resolve(stream(`retry: 5\n${eventOf(1, 'vm_provisioning_started')}`));
      return Promise.resolve(asked < 4 ? page() : stream(eventOf(2, 'tenant_ready')));
    },
  });
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const session = { checkoutSessionId: 'cs_1', transactionId: 'txn_1', onEvent: () => undefined };
  const followed = followSession({ api, ...session, signal: stop.signal, retryMs: 5 });
  expect(await followed).toMatchObject({ tenantId: 't_1', needsDeploy: false });
  expect(asked).toBeGreaterThanOrEqual(4);
});
