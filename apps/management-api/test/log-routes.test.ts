import { randomUUID } from 'node:crypto';
import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { LogLine, ReadLogsOptions } from '../src/ports/machines.ts';
import { releases, tenants } from '../src/store/schema.ts';
import { type Edge, failure, readEvents, startEdge } from './edge.ts';

/** The output of each release's machine, which a test may let end. */
interface Output {
  readonly lines: LogLine[];
  ended: boolean;
}

let edge: Edge;
let token: string;
let tenantId: string;
let outputs: Map<string, Output>;
const asked: ReadLogsOptions[] = [];

beforeAll(async () => {
  edge = await startEdge();
  token = (await edge.login('owner@example.com')).token;
  Object.assign(edge.ports.machines, {
    async *readLogs(_appName: string, releaseId: string, options: ReadLogsOptions = {}) {
      asked.push(options);
      const output = outputs.get(releaseId);
      if (output === undefined) return;
      const { tail = Infinity, since, follow = false, signal } = options;
      const start = output.lines.filter(({ time }) => since === undefined || Date.parse(time) >= since.getTime());
      const from = tail === Infinity ? start : start.slice(Math.max(0, start.length - tail));
      let index = output.lines.length;
      yield* from;
      for (;;) {
        if (!follow || signal?.aborted === true) return;
        while (index < output.lines.length) yield output.lines[index++] as LogLine;
        if (output.ended) return;
        await new Promise((done) => setTimeout(done, 5));
      }
    },
  });
});
afterAll(() => edge.stop());

let bought = 0;
beforeEach(async () => {
  tenantId = (await edge.buy(token, `logs-${(bought += 1)}`)).tenantId;
  outputs = new Map();
  asked.length = 0;
});

const at = (millisecond: number): string => `2026-01-02T03:04:05.${String(millisecond).padStart(3, '0')}Z`;
const line = (millisecond: number, message: string): LogLine => ({ time: at(millisecond), stream: 'stdout', message });

/** A release that has a machine with output. */
async function release(number: number, status: 'running' | 'failed', lines: LogLine[] = []): Promise<Output> {
  const id = randomUUID();
  await edge.store.db
    .insert(releases)
    .values({ id, tenantId, number, status, image: 'i', digest: `sha256:${'a'.repeat(64)}` });
  if (status === 'running') {
    await edge.store.db.update(tenants).set({ currentReleaseId: id }).where(eq(tenants.id, tenantId));
  }
  const output = { lines, ended: false };
  outputs.set(id, output);
  return output;
}

async function read(query = ''): Promise<{ message: string; release_number: number }[]> {
  const response = await edge.call(`/api/v1/tenants/${tenantId}/logs${query}`, { token });
  expect(response.status).toBe(200);
  return ((await response.json()) as { data: { message: string; release_number: number }[] }).data;
}

/** Follows until so many lines have come. */
async function follow(
  count: number,
  options: { query?: string; lastEventId?: string; on?: (message: string) => void } = {},
): Promise<{ id: string; message: string; release: unknown }[]> {
  const { query = '', lastEventId, on } = options;
  const response = await edge.call(`/api/v1/tenants/${tenantId}/logs/events${query}`, {
    token,
    headers: lastEventId === undefined ? {} : { 'last-event-id': lastEventId },
  });
  const seen: { id: string; message: string; release: unknown }[] = [];
  if (count === 0) return seen;
  for await (const { id = '', event, data } of readEvents(response)) {
    if (event === 'heartbeat') continue;
    expect(event).toBeUndefined();
    seen.push({ id, message: String(data['message']), release: data['release_number'] });
    on?.(String(data['message']));
    if (seen.length === count) break;
  }
  return seen;
}

test('gives the last lines of what runs, as many as were asked for', async () => {
  expect(await read()).toEqual([]);
  await release(1, 'failed', [line(1, 'broken')]);
  expect((await read()).map(({ message }) => message)).toEqual(['broken']);
  await release(2, 'running', [line(1, 'one'), { ...line(2, 'two'), stream: 'stderr' }, line(3, 'three')]);
  expect(await read('?tail=2')).toEqual([
    { time: at(2), stream: 'stderr', message: 'two', release_number: 2 },
    { time: at(3), stream: 'stdout', message: 'three', release_number: 2 },
  ]);
  expect((await read(`?since=${at(3)}`)).map(({ message }) => message)).toEqual(['three']);
  expect((await read('?release=1')).map(({ message }) => message)).toEqual(['broken']);
  expect(asked[0]?.tail).toBe(100);
  const none = await edge.call(`/api/v1/tenants/${tenantId}/logs?release=9`, { token });
  expect(await failure(none)).toMatchObject({ status: 404, code: 'release_not_found' });
  for (const query of ['?tail=x', '?tail=-1', '?tail=10001', '?since=yesterday', '?release=0', '?release=1.5']) {
    const wrong = await edge.call(`/api/v1/tenants/${tenantId}/logs${query}`, { token });
    expect(await failure(wrong), query).toMatchObject({ status: 400, code: 'invalid_request' });
  }
});

test('follows what is written, and goes on with the machine that takes over', async () => {
  const first = await release(1, 'running', [line(1, 'old'), line(2, 'last')]);
  const seen = await follow(3, {
    query: '?tail=1',
    on: (message) => {
      if (message === 'last') first.lines.push(line(5, 'live'));
      if (message === 'live') void release(2, 'running', [line(9, 'new')]).then(() => (first.ended = true));
    },
  });
  expect(seen.map(({ message, release: number }) => [message, number])).toEqual([
    ['last', 1],
    ['live', 1],
    ['new', 2],
  ]);
});

test('goes on after the last line that a client has: each line once, also where many have the same time', async () => {
  const lines = [line(1, 'a'), line(1, 'b'), line(1, 'b'), line(1, 'c'), line(2, 'd'), line(2, 'a')];
  await release(1, 'running', lines);
  const all = await follow(6);
  expect(all.map(({ message }) => message)).toEqual(['a', 'b', 'b', 'c', 'd', 'a']);
  expect(new Set(all.map(({ id }) => id)).size).toBe(6);
  for (const [index, { id }] of all.entries()) {
    const rest = await follow(5 - index, { lastEventId: id });
    expect(rest, id).toEqual(all.slice(index + 1));
  }
  // Also for a client that began in the middle of a time.
  const [third] = await follow(1, { query: '?tail=3' });
  expect((await follow(2, { lastEventId: third?.id ?? '' })).map(({ message }) => message)).toEqual(['d', 'a']);
});

test('ends with the machine of a release that was asked for, and says that there is no more', async () => {
  const output = await release(1, 'failed', [line(1, 'broken')]);
  output.ended = true;
  const seen = await follow(9, { query: '?release=1' });
  expect(seen.map(({ message }) => message)).toEqual(['broken']);
  const again = await edge.call(`/api/v1/tenants/${tenantId}/logs/events?release=1`, {
    token,
    headers: { 'last-event-id': seen[0]?.id ?? '' },
  });
  expect(again.status).toBe(204);
});

test('takes an id that it never gave for none', async () => {
  await release(1, 'running', [line(1, 'a')]);
  for (const lastEventId of ['7', '1/x/1', '9/2026-01-02T03:04:05.001Z/000000000000/1', '../../x']) {
    expect(
      (await follow(1, { lastEventId })).map(({ message }) => message),
      lastEventId,
    ).toEqual(['a']);
  }
});
