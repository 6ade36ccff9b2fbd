import { mkdir, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { removeLocalCloud } from '@sp/management-api';
import { expect, onTestFinished, test } from 'vitest';
import { startFakeApi } from './support/fake-api.ts';
import { runBinary } from './support/run-binary.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

const errorOf = (stdout: string): unknown => (JSON.parse(stdout) as { error: unknown }).error;

test('help names every command, and a wrong one is exit code 2', async () => {
  const cwd = await temporaryFolder();
  const help = await runBinary(['cloud', '--help'], { cwd });
  expect(help.exitCode).toBe(0);
  for (const word of ['cloud auth', 'cloud tenant', 'cloud local', 'cloud deploy', 'cloud init', 'cloud status']) {
    expect(help.stdout).toContain(word);
  }
  const wrong = await runBinary(['cloud', 'fly', '--json'], { cwd });
  expect(wrong.exitCode).toBe(2);
  expect(errorOf(wrong.stdout)).toMatchObject({
    code: 'SP_CLI_UNKNOWN_COMMAND',
    message: '`cloud fly` is not a command of systemprompt',
  });
  const flag = await runBinary(['cloud', 'init', '--fly', '--json'], { cwd });
  expect(flag.exitCode).toBe(2);
  expect(errorOf(flag.stdout)).toMatchObject({ code: 'SP_CLI_USAGE', message: 'There is no flag --fly' });
});

test('text goes to stdout, everything else to stderr', async () => {
  const cwd = await temporaryFolder();
  const { stdout, stderr, exitCode } = await runBinary(['cloud', 'deploy'], { cwd });
  expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 5 });
  expect(stderr).toBe(`✗ ${cwd} is not in a SystemPrompt project: no .systemprompt folder
  Go to your project, or make this folder one: systemprompt cloud init
  SP_CLI_NO_PROJECT
`);
});

test('tenant create without a terminal never asks: exit code 3 with ready-to-run commands', async () => {
  const plan = { id: 'starter', name: 'Starter', paddle_price_id: 'pri_1', memory_mb_default: 512, volume_gb: 1 };
  const api = await startFakeApi({ 'GET /api/v1/checkout/plans': [plan] });
  const cwd = await temporaryFolder();
  await mkdir(join(cwd, '.systemprompt'));
  const env = { SYSTEMPROMPT_API_TOKEN: 'x', SYSTEMPROMPT_API_URL: api.url };
  const { stdout, exitCode } = await runBinary(['cloud', 'tenant', 'create', '--name', 'hello', '--json'], {
    cwd,
    env,
  });
  expect(exitCode).toBe(3);
  expect(errorOf(stdout)).toMatchObject({
    code: 'SP_CLI_INPUT_NEEDED',
    flags: ['--plan', '--region'],
    next: ['systemprompt cloud tenant create --name hello --plan starter --region iad'],
  });
  expect(api.requests.map(({ what }) => what)).toEqual(['GET /api/v1/checkout/plans']);
});

test('what can be wrong with a new tenant is found before anybody pays', async () => {
  const plan = { id: 'starter', name: 'Starter', paddle_price_id: 'pri_1', memory_mb_default: 512, volume_gb: 1 };
  const api = await startFakeApi({ 'GET /api/v1/checkout/plans': [plan] });
  const cwd = await temporaryFolder();
  await mkdir(join(cwd, '.systemprompt/profiles/taken'), { recursive: true });
  const env = { SYSTEMPROMPT_API_TOKEN: 'x', SYSTEMPROMPT_API_URL: api.url };
  const create = async (...args: string[]): Promise<[number | null, unknown]> => {
    const result = await runBinary(['cloud', 'tenant', 'create', ...args, '--json'], { cwd, env });
    return [result.exitCode, (errorOf(result.stdout) as { code: unknown }).code];
  };
  expect(await create('--name', 'Hello!', '--plan', 'starter', '--region', 'iad')).toEqual([2, 'SP_CLI_USAGE']);
  expect(await create('--name', 'hello', '--plan', 'starter', '--region', 'mars')).toEqual([2, 'SP_CLI_USAGE']);
  expect(await create('--name', 'hello', '--plan', 'huge', '--region', 'iad')).toEqual([5, 'SP_CLI_PLAN_NOT_FOUND']);
  expect(await create('--name', 'taken', '--plan', 'starter', '--region', 'iad')).toEqual([6, 'SP_CLI_PROFILE_EXISTS']);
  expect(api.requests.every(({ what }) => what === 'GET /api/v1/checkout/plans')).toBe(true);
});

test('expired credentials are 4, an API out of reach is 12, a refused token is 4', async () => {
  const cwd = await temporaryFolder();
  const payload = Buffer.from(JSON.stringify({ exp: 1 })).toString('base64url');
  const credentials = {
    api_token: `e30.${payload}.c2ln`,
    api_url: 'http://127.0.0.1:1',
    authenticated_at: '2020-01-01T00:00:00Z',
    user_email: 'a@b.c',
  };
  await mkdir(join(cwd, '.systemprompt'));
  await writeFile(join(cwd, '.systemprompt/credentials.json'), JSON.stringify(credentials), { mode: 0o600 });
  const expired = await runBinary(['cloud', 'auth', 'whoami', '--json'], { cwd });
  expect(expired.exitCode).toBe(4);
  expect(errorOf(expired.stdout)).toMatchObject({ code: 'SP_CREDENTIALS_EXPIRED' });

  const env = { SYSTEMPROMPT_API_TOKEN: 'very-secret-token', SYSTEMPROMPT_API_URL: 'http://127.0.0.1:1' };
  const away = await runBinary(['cloud', 'auth', 'whoami', '--json'], { cwd, env });
  expect(away.exitCode).toBe(12);
  expect(away.stdout + away.stderr).not.toContain('very-secret-token');
});

test('local up on a busy port is 6, and leaves nothing running', async () => {
  const cwd = await temporaryFolder();
  const blocker = createServer();
  await new Promise<void>((resolve) => blocker.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void blocker.close());
  const { port } = blocker.address() as AddressInfo;
  const env = { SYSTEMPROMPT_LOCAL_DATA_DIR: join(cwd, 'my cloud') };
  onTestFinished(() => removeLocalCloud({ dataDir: env.SYSTEMPROMPT_LOCAL_DATA_DIR }));
  const up = await runBinary(['cloud', 'local', 'up', '--port', String(port), '--machines', 'process', '--json'], {
    cwd,
    env,
  });
  expect(up.exitCode, up.stdout).toBe(6);
  expect(errorOf(up.stdout)).toMatchObject({ code: 'SP_CLI_LOCAL_PORT_BUSY', port });
  const status = await runBinary(['cloud', 'local', 'status', '--json'], { cwd, env });
  expect(JSON.parse(status.stdout)).toMatchObject({ running: false });
  const down = await runBinary(['cloud', 'local', 'down', '--json'], { cwd, env });
  expect(JSON.parse(down.stdout)).toMatchObject({ stopped: false });
  const login = await runBinary(['cloud', 'auth', 'login', '--device', '--environment', 'local', '--json'], {
    cwd,
    env,
  });
  expect(login.exitCode).toBe(5);
  expect(errorOf(login.stdout)).toMatchObject({ code: 'SP_CLI_LOCAL_NOT_RUNNING' });
});

test('two starts at once are one local cloud, and down stops it', async () => {
  const cwd = await temporaryFolder();
  const env = { SYSTEMPROMPT_LOCAL_DATA_DIR: join(cwd, 'my cloud') };
  const up = (): ReturnType<typeof runBinary> =>
    runBinary(['cloud', 'local', 'up', '--port', '0', '--machines', 'process', '--json'], { cwd, env });
  try {
    const both = await Promise.all([up(), up()]);
    expect(both.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
    const [first, second] = both.map(({ stdout }) => JSON.parse(stdout) as { pid: number; url: string });
    expect(first?.pid).toBe(second?.pid);
    const third = JSON.parse((await up()).stdout) as object;
    expect(third).toMatchObject({ already_running: true, pid: first?.pid });
    const status = await runBinary(['cloud', 'local', 'status', '--json'], { cwd, env });
    expect(JSON.parse(status.stdout)).toMatchObject({ running: true, healthy: true, url: first?.url });
  } finally {
    const down = await runBinary(['cloud', 'local', 'down', '--json'], { cwd, env });
    expect(JSON.parse(down.stdout)).toMatchObject({ stopped: true });
    await removeLocalCloud({ dataDir: env.SYSTEMPROMPT_LOCAL_DATA_DIR });
  }
});
