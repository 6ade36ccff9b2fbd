import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { releases, tenants } from '../src/store/schema.ts';
import { type Edge, failure, startEdge } from './edge.ts';

let edge: Edge;
beforeAll(async () => {
  edge = await startEdge({ keptReleases: 2 });
});
afterAll(() => edge.stop());

test('a release whose image is not kept is shown as such, and brought back by nobody', async () => {
  const { token } = await edge.login('owner@example.com');
  const { tenantId } = await edge.buy(token, 'shop');
  const { db } = edge.store;
  let currentReleaseId = '';
  for (const number of [1, 2, 3, 4]) {
    currentReleaseId = randomUUID();
    await db.insert(releases).values({
      id: currentReleaseId,
      tenantId,
      number,
      image: 'registry.test/a:b',
      digest: `sha256:${String(number).repeat(64)}`,
      status: number === 4 ? 'running' : 'superseded',
    });
  }
  await db.update(tenants).set({ state: 'running', currentReleaseId });
  const path = `/api/v1/tenants/${tenantId}`;
  const read = async (at: string) =>
    ((await (await edge.call(`${path}${at}`, { token })).json()) as { data: object }).data;
  const shown = (await read('/releases')) as { number: number; status: string }[];
  expect(shown.map(({ number, status }) => `${number} ${status}`)).toEqual([
    '4 running',
    '3 superseded',
    '2 image_removed',
    '1 image_removed',
  ]);
  expect(await read('/releases/2')).toMatchObject({ number: 2, status: 'image_removed' });

  const rollBack = (json: object) => edge.call(`${path}/rollback`, { method: 'POST', token, json });
  expect(await failure(await rollBack({ release: 2 }))).toMatchObject({
    status: 409,
    code: 'release_not_available',
    message: 'Release 2 cannot be brought back: its image is not kept any more.',
  });
  expect((await db.select().from(releases)).length).toBe(4);
  const { waitForRelease } = edge.ports.workflows;
  edge.ports.workflows.waitForRelease = async (id) => {
    const found = (await db.select().from(releases)).find((release) => release.id === id);
    if (found === undefined) throw new Error(`no release ${id}`);
    return found;
  };
  expect(await (await rollBack({})).json()).toMatchObject({ data: { status: 'deploying' } });
  edge.ports.workflows.waitForRelease = waitForRelease;
  expect(await read('/releases/5')).toMatchObject({ rollback_of: 3, status: 'deploying' });
});
