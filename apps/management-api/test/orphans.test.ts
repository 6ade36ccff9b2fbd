import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RegistryLogin } from '../src/images/registry.ts';
import { removeLocalCloud } from '../src/index.ts';
import { getPage, loginTo } from './cloud-user.ts';
import { type MachineFacts, pushMachineImage } from './machine-image.ts';

const program = fileURLToPath(new URL('../bin/sp-management-api.js', import.meta.url));
const running = new Set<ChildProcess>();
let folder: string;

beforeAll(async () => {
  if (!existsSync(new URL('../dist/main.js', import.meta.url))) throw new Error('Build the package before this test');
  folder = await mkdtemp(join(tmpdir(), 'sp-orphans-'));
});
afterAll(async () => {
  for (const child of running) child.kill('SIGKILL');
  await removeLocalCloud({ dataDir: join(folder, 'cloud') });
  await rm(folder, { recursive: true, force: true });
});

async function startProgram(): Promise<{ readonly child: ChildProcess; readonly url: string }> {
  const args = ['local', '--data-dir', join(folder, 'cloud'), '--machines', 'process', '--port', '0'];
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  running.add(child);
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return { child, url: (JSON.parse(line.toString()) as { url: string }).url };
}

async function kill(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'exit');
  running.delete(child);
}

async function lives(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return stat !== '' && !/\) Z /.test(stat);
}

test('a control plane that was killed leaves its machines to the next one, and none to nobody', async () => {
  const first = await startProgram();
  const ada = await loginTo(first.url, 'ada@example.com');
  const { tenantId } = await ada.buyTenant('shop');
  const login = await ada.call<RegistryLogin>(`/api/v1/tenants/${tenantId}/registry-token`);
  const images = { issueToken: async () => login } as unknown as Parameters<typeof pushMachineImage>[0]['images'];
  await pushMachineImage({ images, tenantId, directory: join(folder, 'build') });
  const image = `${login.registry}/${login.repository}:${login.tag}`;
  const deploy = { method: 'POST', json: { image } };
  const { app_url: page } = await ada.call<{ app_url: string }>(`/api/v1/tenants/${tenantId}/deploy`, deploy);
  const facts = async (url: string): Promise<MachineFacts> =>
    JSON.parse((await getPage(`${url}/facts`, new URL(page).host)).body) as MachineFacts;
  const { pid } = await facts(first.url);

  await kill(first.child);
  const second = await startProgram();
  // Nobody noticed.
  expect((await facts(second.url)).pid).toBe(pid);

  await kill(second.child);
  expect(await lives(pid)).toBe(true);
  while (await lives(pid)) await delay(500);
});
