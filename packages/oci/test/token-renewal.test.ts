import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createRegistryClient } from '../src/index.ts';
import { listen } from './serve.ts';
import { codeOf } from './setup.ts';

interface Gate {
  readonly passed: Promise<void>;
  open(): void;
}

function createGate(): Gate {
  let open = (): void => {};
  const passed = new Promise<void>((resolve) => (open = resolve));
  return { passed, open: () => open() };
}

/**
 * A registry that takes only the newest token, and a token server that waits before each answer. Requests with an old
 * token wait for `refusal`, so that a test decides which of them are refused at once.
 */
async function renewingRegistry() {
  const state = { asked: 0, revoked: 0, arrived: 0, token: createGate(), refusal: createGate() };
  const server = await listen((incoming, outgoing) => {
    const answer = async (): Promise<void> => {
      if (incoming.url?.startsWith('/token') === true) {
        state.asked += 1;
        const token = `token-${state.asked}`;
        await state.token.passed;
        outgoing.setHeader('content-type', 'application/json').end(JSON.stringify({ token, expires_in: 300 }));
        return;
      }
      const number = Number(incoming.headers.authorization?.replace('Bearer token-', '') ?? 0);
      state.arrived += 1;
      if (number > state.revoked) {
        outgoing.writeHead(404).end();
        return;
      }
      await state.refusal.passed;
      outgoing.writeHead(401, { 'www-authenticate': `Bearer realm="${server.url}/token",service="s"` }).end();
    };
    answer().catch(() => outgoing.destroy());
  });
  const client = createRegistryClient({ registry: server.host, retries: 0 });
  /** Requests of one scope, all on their way. */
  const several = async (count: number): Promise<Promise<unknown>[]> => {
    const before = state.arrived;
    const answers = Array.from({ length: count }, (_, index) => client.resolve('app', `v${index}`));
    await expect.poll(() => state.arrived).toBe(before + count);
    return answers;
  };
  return { ...server, state, client, several };
}

test('requests that are refused at the same time get one token together, also when it has to be another one', async () => {
  await using registry = await renewingRegistry();
  const { state, several } = registry;
  state.token.open();
  const first = await several(6);
  state.refusal.open();
  expect(await Promise.all(first)).toEqual(Array.from({ length: 6 }));
  expect(state.asked).toBe(1);

  state.revoked = 1;
  state.refusal = createGate();
  const second = await several(6);
  state.refusal.open();
  expect(await Promise.all(second)).toEqual(Array.from({ length: 6 }));
  expect(state.asked).toBe(2);
});

test('a request that is refused with the old token takes the one that another has got meanwhile', async () => {
  await using registry = await renewingRegistry();
  const { state, client, several } = registry;
  state.token.open();
  state.refusal.open();
  await client.resolve('app', 'v1');
  state.revoked = 1;
  state.refusal = createGate();
  const { refusal } = state;
  const late = await several(2);
  // Whoever comes now is refused at once and has renewed the token when the two are.
  state.refusal = createGate();
  state.refusal.open();
  await client.resolve('app', 'v9');
  expect(state.asked).toBe(2);
  refusal.open();
  await Promise.all(late);
  expect(state.asked).toBe(2);
});

test('one that gives up leaves the token to the others; when all do, nobody asks on', async () => {
  const state = { asked: 0, refused: 0, cut: 0, token: createGate() };
  // Without sockets, so that a request that was refused waits for the token one turn of the event loop later.
  const client = createRegistryClient({
    registry: 'registry.test',
    retries: 0,
    fetch: async (input, init) => {
      if (new Request(input).url.startsWith('https://tokens.test')) {
        state.asked += 1;
        const cut = new Promise<never>((_resolve, reject) => {
          init?.signal?.addEventListener('abort', () => {
            state.cut += 1;
            reject(new Error('cut'));
          });
        });
        await Promise.race([state.token.passed, cut]);
        return Response.json({ token: 'good' });
      }
      if (new Headers(init?.headers).get('authorization') === 'Bearer good') return new Response(null, { status: 404 });
      state.refused += 1;
      const headers = { 'www-authenticate': 'Bearer realm="https://tokens.test/"' };
      return new Response(null, { status: 401, headers });
    },
  });
  const waiting = async (asked: number, signals: readonly (AbortSignal | undefined)[]): Promise<Promise<string>[]> => {
    const calls = signals.map((signal) => codeOf(client.resolve('app', 'v1', { signal })));
    await expect.poll(() => state.asked).toBe(asked);
    await setImmediate();
    return calls;
  };
  const controllers = Array.from({ length: 4 }, () => new AbortController());
  const abort = (index: number, code: string): void =>
    controllers[index]?.abort(Object.assign(new Error('enough'), { code }));

  const all = await waiting(1, [controllers[0]?.signal, controllers[1]?.signal]);
  expect(state.refused).toBe(2);
  abort(0, 'FIRST');
  abort(1, 'SECOND');
  expect(await Promise.all(all)).toEqual(['FIRST', 'SECOND']);
  expect([state.asked, state.cut]).toEqual([1, 1]);

  // The one that asked gives up, then one that only waits.
  const some = await waiting(2, [controllers[2]?.signal, controllers[3]?.signal, undefined]);
  abort(2, 'THIRD');
  abort(3, 'FOURTH');
  expect(await Promise.all(some.slice(0, 2))).toEqual(['THIRD', 'FOURTH']);
  state.token.open();
  expect(await some[2]).toBe('no error');
  expect([state.asked, state.cut]).toEqual([2, 1]);
});

test('a token server that fails is asked again by the next request', async () => {
  let fails = true;
  await using server = await listen((incoming, outgoing) => {
    if (incoming.url?.startsWith('/token') === true) {
      if (fails) outgoing.writeHead(503).end();
      else outgoing.end('{"token":"good"}');
      return;
    }
    const headers = { 'www-authenticate': `Bearer realm="${server.url}/token"` };
    outgoing.writeHead(incoming.headers.authorization === 'Bearer good' ? 404 : 401, headers).end();
  });
  const client = createRegistryClient({ registry: server.host, retries: 0 });
  const calls = [codeOf(client.resolve('app', 'v1')), codeOf(client.resolve('app', 'v2'))];
  expect(await Promise.all(calls)).toEqual(['SP_OCI_REGISTRY', 'SP_OCI_REGISTRY']);
  fails = false;
  expect(await client.resolve('app', 'v1')).toBeUndefined();
});
