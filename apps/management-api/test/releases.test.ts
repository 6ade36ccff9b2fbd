import { createHmac } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Images } from '../src/images/registry.ts';
import { type LocalCloud, removeLocalCloud, startLocalCloud } from '../src/index.ts';
import { type CloudUser, getPage, loginTo } from './cloud-user.ts';
import { type MachineFacts, pushMachineImage } from './machine-image.ts';

interface Deploy {
  readonly status: string;
  readonly app_url?: string;
  readonly release_id: string;
  readonly digest: string;
}

interface Release {
  readonly id: string;
  readonly number: number;
  readonly status: string;
  readonly digest: string;
  readonly secrets_version: number;
  readonly created_by: string;
  readonly rollback_of?: number;
  readonly failure?: string;
  readonly log_lines?: string[];
}

interface Diff {
  readonly added: string[];
  readonly changed: string[];
  readonly removed: string[];
  readonly remote_only: string[];
  readonly version: number;
}

let folder: string;
let cloud: LocalCloud;
let ada: CloudUser;
let path: string;
let image: string;
let pushOther: () => Promise<unknown>;
let count = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sp releases '));
  cloud = await startLocalCloud({ dataDir: join(folder, 'cloud'), port: 0, machines: 'process' });
  ada = await loginTo(cloud.url, 'ada@example.com');
});
afterAll(async () => {
  await cloud.stop();
  await removeLocalCloud({ dataDir: join(folder, 'cloud') });
  await rm(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  count += 1;
  const { tenantId } = await ada.buyTenant(`shop-${count}`);
  path = `/api/v1/tenants/${tenantId}`;
  const login = await ada.call<{ registry: string; repository: string; tag: string }>(`${path}/registry-token`);
  image = `${login.registry}/${login.repository}:${login.tag}`;
  const push = {
    images: { issueToken: async () => login } as unknown as Images,
    tenantId,
    directory: join(folder, 'build'),
  };
  await pushMachineImage(push);
  pushOther = () => pushMachineImage({ ...push, command: ['/app/bin/server.mjs', 'other'] });
});

const post = <T>(at: string, json: unknown): Promise<T> => ada.call<T>(`${path}${at}`, { method: 'POST', json });
const deploy = (request: object = {}): Promise<Deploy> => post('/deploy', { image, ...request });
const secrets = (values: Record<string, string>): Promise<unknown> => post('/secrets', { secrets: values });
const releases = (): Promise<Release[]> => ada.call(`${path}/releases`);

async function facts(appUrl: string | undefined): Promise<MachineFacts> {
  return JSON.parse((await getPage(`${cloud.url}/facts`, new URL(appUrl ?? '').host)).body) as MachineFacts;
}

test('a rollback brings back the image and the secrets of then, and the tenant goes on from there', async () => {
  await secrets({ GREETING: 'one', KEPT: 'same' });
  const first = await deploy();
  const [one] = await releases();
  expect(one).toMatchObject({ number: 1, status: 'running', id: first.release_id, created_by: 'ada@example.com' });

  await pushOther();
  await secrets({ GREETING: 'two', NEW: 'new' });
  const second = await deploy();
  expect(second.digest).not.toBe(first.digest);
  expect((await facts(second.app_url)).env).toMatchObject({ GREETING: 'two', NEW: 'new' });

  const back = await post<Deploy>('/rollback', {});
  expect(back).toMatchObject({ status: 'running', digest: first.digest });
  const { env, argv } = await facts(back.app_url);
  expect(env).toMatchObject({ GREETING: 'one', KEPT: 'same', FLY_MACHINE_ID: back.release_id });
  expect(env['NEW']).toBeUndefined();
  expect(argv).not.toContain('other');
  expect(await releases()).toMatchObject([
    { number: 3, status: 'running', rollback_of: 1, secrets_version: one?.secrets_version, digest: first.digest },
    { number: 2, status: 'superseded' },
    { number: 1, status: 'superseded' },
  ]);
  // What a next deploy starts from is what was brought back.
  expect(await ada.call(`${path}/secrets`)).toEqual({ keys: ['GREETING', 'KEPT'] });
  await expect(post('/rollback', {})).rejects.toThrow(/409 .*no_earlier_release/);

  const forward = await post<Deploy>('/rollback', { release: 2, expected_release: 3 });
  expect((await facts(forward.app_url)).env).toMatchObject({ GREETING: 'two', NEW: 'new' });
  await expect(post('/rollback', { release: 9 })).rejects.toThrow(/404 .*release_not_found/);
});

test('a rollback passes over releases of the same, and is refused while there is nothing else', async () => {
  await secrets({ GREETING: 'one' });
  await deploy();
  await deploy();
  await expect(post('/rollback', {})).rejects.toThrow(/409 .*no_earlier_release/);
  await secrets({ GREETING: 'two' });
  await deploy();
  await deploy();
  const back = await post<Deploy>('/rollback', {});
  expect((await facts(back.app_url)).env).toMatchObject({ GREETING: 'one' });
  expect((await releases())[0]).toMatchObject({ number: 5, rollback_of: 2 });
});

test('what is set while a rollback goes on is not lost', async () => {
  await secrets({ GREETING: 'one', OTHER: 'one' });
  await deploy();
  await secrets({ GREETING: 'two', OTHER: 'two', NEW: 'two' });
  await deploy();
  const rollback = post<Deploy>('/rollback', {});
  while ((await releases()).length < 3) await new Promise((done) => setTimeout(done, 5));
  await secrets({ OTHER: 'three', LATE: 'three' });
  expect((await rollback).status).toBe('running');
  expect(await ada.call(`${path}/secrets`)).toEqual({ keys: ['GREETING', 'LATE', 'OTHER'] });
  const { app_url: appUrl } = await deploy();
  expect((await facts(appUrl)).env).toMatchObject({ GREETING: 'one', OTHER: 'three', LATE: 'three' });
});

test('secrets that are set after a deploy reach the machine with the next deploy', async () => {
  await secrets({ GREETING: 'one' });
  const { app_url: appUrl, digest } = await deploy();
  await secrets({ GREETING: 'two' });
  expect((await releases())[0]?.secrets_version).toBe(1);
  const next = await deploy({ digest });
  expect((await facts(appUrl)).env).toMatchObject({ GREETING: 'two', FLY_MACHINE_ID: next.release_id });
  // The same values again are no new version.
  await secrets({ GREETING: 'two' });
  await deploy();
  expect((await releases()).map((release) => release.secrets_version)).toEqual([2, 2, 1]);
});

test('a restart brings the secrets of now as a release of the same image; with nothing new it is the same release', async () => {
  await secrets({ GREETING: 'one' });
  const { app_url: appUrl, digest, release_id: first } = await deploy();
  expect(await post('/restart', undefined)).toEqual({ status: 'running' });
  expect((await facts(appUrl)).env).toMatchObject({ GREETING: 'one', FLY_MACHINE_ID: first });
  expect(await releases()).toHaveLength(1);

  await secrets({ GREETING: 'two' });
  const { pid } = await facts(appUrl);
  expect(await post('/restart', undefined)).toEqual({ status: 'running' });
  const [renewed, replaced] = await releases();
  expect(renewed).toMatchObject({ number: 2, status: 'running', digest, secrets_version: 2 });
  expect(renewed).not.toHaveProperty('rollback_of');
  expect(replaced).toMatchObject({ number: 1, status: 'superseded' });
  const after = await facts(appUrl);
  expect(after.env).toMatchObject({ GREETING: 'two', FLY_MACHINE_ID: renewed?.id });
  expect(after.pid).not.toBe(pid);

  // With secrets that the machine does not start with, the one of before goes on.
  await secrets({ CRASH: '3' });
  expect(await post('/restart', undefined)).toMatchObject({
    status: 'failed',
    message: expect.stringMatching(/exited with code 3/) as string,
  });
  expect(await ada.call(`${path}/status`)).toMatchObject({ status: 'running' });
  expect((await facts(appUrl)).env).toMatchObject({ GREETING: 'two', FLY_MACHINE_ID: renewed?.id });
  expect((await releases())[0]).toMatchObject({ number: 3, status: 'failed' });
});

test('a release that failed says why, and what its machine said last', async () => {
  await secrets({ CRASH: '3' });
  const { release_id: id, status } = await deploy();
  expect(status).toBe('failed');
  const failed = await ada.call<Release>(`${path}/releases/${id}`);
  expect(failed).toMatchObject({ number: 1, status: 'failed' });
  // It is started again a few times before it counts as failed.
  expect(failed.log_lines?.slice(-2)).toEqual(['going down', 'with 3']);
  expect(failed.failure).toMatch(/exited with code 3[^\n]*$/);
  expect(await ada.call(`${path}/releases/1`)).toEqual(failed);
  expect((await releases())[0]).not.toHaveProperty('log_lines');
  for (const name of ['2', 'x', '00000000-0000-4000-8000-000000000000', '99999999999']) {
    await expect(ada.call(`${path}/releases/${name}`)).rejects.toThrow(/404 .*release_not_found/);
  }
  // It never ran, so there is nothing to go back to.
  await expect(post('/rollback', { release: 1 })).rejects.toThrow(/404/);
});

test('a deploy that expects another release is refused, and nothing changes', async () => {
  await deploy({ expected_release: 0 });
  await expect(deploy({ expected_release: 0 })).rejects.toThrow(
    /409 .*release_moved.*release 1 by now, not no release/,
  );
  await expect(post('/rollback', { release: 1, expected_release: 7 })).rejects.toThrow(/409 .*release_moved/);
  expect(await releases()).toHaveLength(1);
  expect(await ada.call(`${path}/status`)).toMatchObject({ status: 'running' });
});

test('of two deploys at once one wins, and the other learns who and since when', async () => {
  const results = await Promise.allSettled([deploy(), deploy()]);
  const refused = results.filter((result) => result.status === 'rejected');
  expect(refused).toHaveLength(1);
  const [open] = await releases();
  expect(String(refused[0]?.reason)).toMatch(/409 .*deploy_in_progress.*by ada@example.com is under way since 20/);
  expect(String(refused[0]?.reason)).toContain(open?.id);
});

test('secrets are compared by digests that only the tenant’s own key can make', async () => {
  const { key } = await ada.call<{ key: string }>(`${path}/secrets/digest-key`);
  const diff = (values: Record<string, string>, prune = false): Promise<Diff> => {
    const digests = Object.entries(values).map(([name, value]) => [
      name,
      createHmac('sha256', Buffer.from(key, 'base64')).update(`${name}\0${value}`).digest('hex'),
    ]);
    return post('/secrets/diff', { secrets: Object.fromEntries(digests), prune });
  };
  // Two that a project's file has and the platform decides.
  expect(await diff({ B: '1', A: '1', SYNC_TOKEN: 'old', DATABASE_URL: 'old' })).toEqual({
    added: ['A', 'B'],
    changed: [],
    removed: [],
    remote_only: [],
    version: 0,
  });
  await secrets({ A: '1', B: '1', C: '1' });
  await deploy();
  expect(await diff({ A: '1', B: '2', D: '1' })).toEqual({
    added: ['D'],
    changed: ['B'],
    removed: [],
    remote_only: ['C'],
    version: 1,
  });
  expect(await diff({ A: '1' }, true)).toMatchObject({ added: [], changed: [], removed: ['B', 'C'] });
  // What was set or removed since is a part of what the next deploy changes.
  await secrets({ E: '1' });
  await ada.call(`${path}/secrets/A`, { method: 'DELETE' });
  expect(await diff({})).toMatchObject({ added: ['E'], changed: [], removed: ['A'], version: 3 });
});
