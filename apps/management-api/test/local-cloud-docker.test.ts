import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import type { Images } from '../src/images/registry.ts';
import { removeLocalCloud, startLocalCloud } from '../src/index.ts';
import { detectDocker } from '../src/machines/detect.ts';
import { writeBaseImage } from './base-image-for-docker.ts';
import { getPage, loginTo } from './cloud-user.ts';
import { type MachineFacts, pushMachineImage } from './machine-image.ts';

/** Says hello to Postgres as its protocol begins, and prints the kind of the answer: R asks for a password. */
const knock = `
  const url = new URL(process.env.DATABASE_URL);
  const body = Buffer.from(['user', url.username, 'database', url.pathname.slice(1), '', ''].join('\\0'));
  const head = Buffer.alloc(8);
  head.writeInt32BE(8 + body.length, 0);
  head.writeInt32BE(196608, 4);
  const socket = require('node:net').connect(Number(url.port), url.hostname, () => socket.write(Buffer.concat([head, body])));
  socket.once('data', (data) => { process.stdout.write(data.toString('latin1', 0, 1)); process.exit(0); });
`;

test('docker: a container is deployed, reaches its database, and stops, starts and goes with the cloud', async (context) => {
  if (!(await detectDocker()).available) {
    if ((process.env['SP_REQUIRE'] ?? '').includes('docker')) throw new Error('no Docker engine answers');
    context.skip('needs docker');
  }
  const folder = await mkdtemp(join(tmpdir(), 'sp-local-docker-'));
  const dataDir = join(folder, 'cloud');
  const base = await writeBaseImage(join(folder, 'base'));
  let cloud: Awaited<ReturnType<typeof startLocalCloud>> | undefined;
  try {
    cloud = await startLocalCloud({ dataDir, port: 0, machines: 'docker' });
    const ada = await loginTo(cloud.url, 'ada@example.com');
    const { tenantId } = await ada.buyTenant('shop');
    const path = `/api/v1/tenants/${tenantId}`;
    const login = await ada.call<{ registry: string; repository: string; tag: string }>(`${path}/registry-token`);
    const images = { issueToken: async () => login } as unknown as Images;
    const digest = await pushMachineImage({ images, tenantId, directory: join(folder, 'build'), base });
    const image = `${login.registry}/${login.repository}:${login.tag}`;
    const deploy = await ada.call<{ status: string; app_url: string; message?: string }>(`${path}/deploy`, {
      method: 'POST',
      json: { image },
    });
    expect(deploy).toMatchObject({ status: 'running' });

    const { host } = new URL(deploy.app_url);
    const page = await getPage(`${cloud.url}/facts`, host);
    const facts = JSON.parse(page.body) as MachineFacts;
    expect(facts.uid).toBe(1000);

    // It crashes once, and its page is there again.
    const { url: before } = cloud;
    await getPage(`${before}/exit?3`, host);
    await expect.poll(async () => (await getPage(`${before}/facts`, host)).status).toBe(200);
    const restarted = JSON.parse((await getPage(`${before}/facts`, host)).body) as MachineFacts;
    expect(restarted.startedAt).toBeGreaterThan(facts.startedAt);

    expect(new URL(facts.env['DATABASE_URL'] ?? '').hostname).toBe('host.docker.internal');
    const containers = async (): Promise<string> =>
      (await execa('docker', ['ps', '-aq', '--filter', `label=io.systemprompt.app=${facts.env['FLY_APP_NAME']}`]))
        .stdout;
    expect((await execa('docker', ['exec', await containers(), 'node', '-e', knock])).stdout).toBe('R');

    await cloud.stop();
    expect(await containers()).toBe('');
    cloud = await startLocalCloud({ dataDir, port: 0, machines: 'docker' });
    // The container is started again by then; that its program listens is its own affair.
    const { url } = cloud;
    await expect.poll(async () => (await getPage(`${url}/facts`, host)).status).toBe(200);
    expect(await containers()).not.toBe('');
    await cloud.stop();

    await removeLocalCloud({ dataDir });
    expect(await containers()).toBe('');
    await execa('docker', ['image', 'rm', `${login.registry}/${login.repository}@${digest}`], { reject: false });
  } finally {
    await cloud?.stop();
    await removeLocalCloud({ dataDir });
    await rm(folder, { recursive: true, force: true });
  }
}, 240_000);
