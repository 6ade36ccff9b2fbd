import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Digest } from '@sp/oci';
import { execa } from 'execa';
import { Client } from 'pg';
import { afterAll, expect, test } from 'vitest';
import type { Images, RegistryLogin } from '../src/images/registry.ts';
import { detectDocker } from '../src/machines/detect.ts';
import { type EmbeddedPostgres, removeEmbeddedPostgres, startEmbeddedPostgres } from '../src/postgres/embedded.ts';
import { writeBaseImage } from './base-image-for-docker.ts';
import { getPage, loginTo } from './cloud-user.ts';
import { freePort } from './free-port.ts';
import { type MachineFacts, pushMachineImage } from './machine-image.ts';
import { killPrograms, runProgram, startServe } from './operator-program.ts';

// The operator's program over a Docker engine: containers stay when it ends, and it finds them again.

let folder: string | undefined;
let postgres: EmbeddedPostgres | undefined;
let registry = '';
let digest: Digest | undefined;
afterAll(async () => {
  killPrograms();
  await postgres?.stop();
  if (folder === undefined) return;
  await removeEmbeddedPostgres({ dataDir: join(folder, 'postgres') });
  await rm(folder, { recursive: true, force: true });
  const [left = ''] = await listContainers();
  if (left !== '') await execa('docker', ['rm', '--force', '--volumes', ...(await listContainers())]);
  const image = `${registry}/systemprompt-images@${digest}`;
  if (digest !== undefined) await execa('docker', ['image', 'rm', image], { reject: false });
});

async function listContainers(): Promise<readonly string[]> {
  const { stdout } = await execa('docker', [
    'ps',
    '-aq',
    '--no-trunc',
    '--filter',
    `label=io.systemprompt.owner=${registry}`,
  ]);
  return stdout.split('\n').filter((id) => id !== '');
}

const sql = async (url: string, text: string): Promise<readonly Record<string, unknown>[]> => {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
};

test('docker: serve runs containers that outlive it, finds them, replaces the lost, and removes them', async (context) => {
  const engine = await detectDocker();
  if (!engine.available) {
    if ((process.env['SP_REQUIRE'] ?? '').includes('docker')) throw new Error('no Docker engine answers');
    context.skip('needs docker');
  }
  folder = await mkdtemp(join(tmpdir(), 'sp-serve-docker-'));
  const base = await writeBaseImage(join(folder, 'base'));
  postgres = await startEmbeddedPostgres({
    dataDir: join(folder, 'postgres'),
    listenAddresses: ['127.0.0.1', ...(engine.gateway === undefined ? [] : [engine.gateway])],
    allowedNetworks: ['172.16.0.0/12', '192.168.0.0/16'],
  });
  await sql(postgres.url, 'create database serve_docker');
  const databaseUrl = new URL(postgres.url);
  databaseUrl.pathname = '/serve_docker';
  const port = await freePort();
  registry = `127.0.0.1:${port}`;
  const env = {
    SP_API_BASE_URL: `http://${registry}`,
    SP_API_LISTEN_HOST: '127.0.0.1',
    SP_API_PORT: String(port),
    SP_API_DRAIN_SECONDS: '0',
    DATABASE_URL: databaseUrl.href,
    SP_API_VAULT_KEY: randomBytes(32).toString('base64'),
    SP_API_REGISTRY_DIRECTORY: join(folder, 'registry'),
    SP_API_TENANT_DOMAIN: `localhost:${port}`,
    SP_API_MACHINES: 'docker',
    SP_API_IDENTITY: 'sandbox',
    SP_API_BILLING: 'sandbox',
  };
  let service = await startServe(env, ['--migrate']);
  const ada = await loginTo(service.url, 'ada@example.com');
  const { tenantId } = await ada.buyTenant('shop');
  const path = `/api/v1/tenants/${tenantId}`;
  const login = await ada.call<RegistryLogin>(`${path}/registry-token`);
  const images = { issueToken: async () => login } as unknown as Images;
  digest = await pushMachineImage({ images, tenantId, directory: join(folder, 'build'), base });
  const image = `${login.registry}/${login.repository}:${login.tag}`;
  const deployed = await ada.call<{ status: string; app_url: string }>(`${path}/deploy`, {
    method: 'POST',
    json: { image },
  });
  expect(deployed).toMatchObject({ status: 'running' });
  const { host } = new URL(deployed.app_url);
  // A container that is started again is there before its program listens.
  const facts = async (): Promise<MachineFacts> => {
    for (;;) {
      const { status, body } = await getPage(`${service.url}/facts`, host);
      if (status === 200) return JSON.parse(body) as MachineFacts;
      await delay(100);
    }
  };
  const { env: seen, startedAt } = await facts();
  expect(new URL(seen['DATABASE_URL'] ?? '').hostname).toBe('host.docker.internal');
  const [container = ''] = await listContainers();
  const limits = await execa('docker', [
    'inspect',
    '--format',
    '{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}}',
    container,
  ]);
  expect(limits.stdout).toBe(`${512 * 1024 ** 2} ${10 ** 9}`);

  // Ended in good order: the container goes on, and the next process leads to it.
  service.child.kill('SIGTERM');
  expect((await service.ended).code).toBe(0);
  expect(await listContainers()).toEqual([container]);
  service = await startServe(env);
  expect((await facts()).startedAt).toBe(startedAt);

  // Killed, and the container is gone as well.
  service.child.kill('SIGKILL');
  await service.ended;
  await execa('docker', ['rm', '--force', '--volumes', container]);
  service = await startServe(env);
  expect((await facts()).startedAt).toBeGreaterThan(startedAt);
  const [replaced] = await listContainers();
  expect(await listContainers()).toHaveLength(1);
  expect(replaced).not.toBe(container);

  // A container of nobody is told, and stays.
  const stranger = ['--label', `io.systemprompt.owner=${registry}`, '--label', 'io.systemprompt.app=sp-nobody'];
  await execa('docker', ['create', ...stranger, `${registry}/systemprompt-images@${digest}`]);
  const doctor = await runProgram(['doctor', '--json'], env);
  expect(doctor.stdout).toContain('app_unknown sp-nobody');
  expect(await listContainers()).toHaveLength(2);

  await ada.call(path, { method: 'DELETE' });
  expect(await listContainers()).toHaveLength(1);
  expect(await listContainers()).not.toContain(replaced);
  service.child.kill('SIGTERM');
  expect((await service.ended).code).toBe(0);
}, 300_000);
