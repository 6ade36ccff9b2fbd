import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { lockDataFolder } from '../src/local/data-lock.ts';
import { lockMachines } from '../src/serve/lock-machines.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sp-lock-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const gone = JSON.stringify({ pid: 2 ** 22 + 1, start_time: '1' });

test('of many who find the lock of a process that is gone, one gets it', async () => {
  for (let round = 0; round < 12; round += 1) {
    const dataDir = await mkdtemp(join(folder, 'many-'));
    await writeFile(join(dataDir, 'local-cloud.lock'), round % 3 === 0 ? 'torn' : gone);
    const tries = await Promise.allSettled(Array.from({ length: 12 }, () => lockDataFolder(dataDir)));
    const held = tries.flatMap((tried) => (tried.status === 'fulfilled' ? [tried.value] : []));
    expect(held).toHaveLength(1);
    await expect(lockDataFolder(dataDir)).rejects.toMatchObject({ code: 'SP_LOCAL_ALREADY_RUNNING', pid: process.pid });
    expect(await readdir(dataDir)).toEqual(['local-cloud.lock']);
    await held[0]?.release();
    expect(await readdir(dataDir)).toEqual([]);
  }
});

test('one that was killed while it took over a lock is taken over itself', async () => {
  const dataDir = await mkdtemp(join(folder, 'killed-'));
  await writeFile(join(dataDir, 'local-cloud.lock'), gone);
  // What the killed one had made: a claim on the lock.
  const claimOn = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 24);
  const killed = JSON.stringify({ pid: 2 ** 22 + 1, start_time: '2' });
  await writeFile(join(dataDir, `local-cloud.lock.after-${claimOn(gone)}`), killed);
  const tries = await Promise.allSettled(Array.from({ length: 5 }, () => lockDataFolder(dataDir)));
  expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  expect(await readdir(dataDir)).toEqual(['local-cloud.lock']);
});

test('a lock that is released does not take another’s with it', async () => {
  const dataDir = await mkdtemp(join(folder, 'released-'));
  const first = await lockDataFolder(dataDir);
  await first.release();
  const second = await lockDataFolder(dataDir);
  await first.release();
  await expect(lockDataFolder(dataDir)).rejects.toMatchObject({ code: 'SP_LOCAL_ALREADY_RUNNING' });
  await second.release();
});

test('a folder of machines that could not be claimed is not kept locked', async () => {
  const machines = await mkdtemp(join(folder, 'machines-'));
  // A folder where the file belongs.
  await mkdir(join(machines, '.owner', 'x'), { recursive: true });
  await expect(lockMachines(machines)).rejects.toMatchObject({ syscall: 'rename' });
  await rm(join(machines, '.owner'), { recursive: true });
  const lock = await lockMachines(machines);
  await lock.release();
});
