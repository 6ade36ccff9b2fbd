import { spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { upsertTenant } from '@sp/tenants';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type CommandReference, describeCommands } from '../src/reference/describe-commands.ts';
import { makeProfileIn } from './support/make-profile.ts';
import { runBinary } from './support/run-binary.ts';
import { keys, openTerminal } from './support/terminal.ts';
import { hello } from './support/world.ts';

// Every command there is, as a process of its own, in every situation: it ends, with an exit code that it documents and
// one document on stdout, and tells no secret.
const secrets = {
  refresh: 'planted-refresh-3b1f',
  password: 'planted-password-77aa',
  anthropic: 'planted-key-0c9d',
  registry: 'planted-registry-5e5e',
};
const jwt = (exp: number, signature: string): string =>
  `e30.${Buffer.from(JSON.stringify({ exp })).toString('base64url')}.${signature}`;
const tokens = {
  'logged in': jwt(4_102_444_800, 'planted-token-a1b2'),
  expired: jwt(1, 'planted-token-c3d4'),
} as const;

const places = ['terminal', 'pipe', 'CI'] as const;
const logins = ['logged in', 'not', 'expired'] as const;
const folders = ['project', 'none'] as const;

/** What a command needs to get further than to its command line. */
const argumentsOf: Readonly<Record<string, readonly string[]>> = {
  'cloud db clone': ['--to', 'hello'],
  'cloud db query': ['select 1'],
  'cloud db restore': ['some.env'],
  'cloud domain set': ['app.example.com'],
  'cloud profile create': ['another'],
  'cloud profile delete': ['hello'],
  'cloud profile edit': ['hello', '--set-port', '9000'],
  'cloud secrets import': ['some.env'],
  'cloud secrets set': ['LOG_LEVEL=debug'],
  'cloud secrets unset': ['LOG_LEVEL'],
  'cloud secrets export': ['--output', 'out.env'],
  'cloud tenant edit': ['hello', '--memory', '512'],
  complete: ['--', 'cloud', 'tenant', 'show', ''],
};

let place: string;
let api: Server;
let url: string;
let commands: readonly CommandReference[];
let server: ReturnType<typeof spawn>;

beforeAll(async () => {
  place = await mkdtemp(join(await realpath(tmpdir()), 'sp sweep-'));
  api = startApi();
  await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(api.address() as AddressInfo).port}`;
  commands = await describeCommands(fileURLToPath(new URL('..', import.meta.url)));
  await mkdir(join(place, 'none'));
  const project = join(place, 'project');
  await mkdir(join(project, 'services/config'), { recursive: true });
  await writeFile(join(project, 'some.env'), `KEY=${secrets.anthropic}\n`);
  await makeProfileIn(project, { password: secrets.password, anthropic: secrets.anthropic });
  const database = `postgresql://u:${secrets.password}@db/hello`;
  await upsertTenant(join(project, '.systemprompt/tenants.json'), {
    id: hello.id,
    name: 'hello',
    tenantType: 'cloud',
    externalDbAccess: true,
    databaseUrl: database,
    internalDatabaseUrl: database,
  });
  // A local cloud that runs already, so that none has to be started so often.
  server = spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1e6)', 'management-api'], { stdio: 'ignore' });
  await mkdir(join(place, 'cloud'));
  await writeFile(join(place, 'cloud/local-cloud.json'), JSON.stringify({ pid: server.pid, url }));
});
afterAll(async () => {
  server.kill('SIGKILL');
  api.close();
  api.closeAllConnections();
  await rm(place, { recursive: true, force: true });
});

/** Knows one tenant and one token; a login by code is refused. */
function startApi(): Server {
  const path = `/api/v1/tenants/${hello.id}`;
  const me = { user: { id: 'u1', email: 'ada@example.com' }, tenants: [hello] };
  const answers: Readonly<Record<string, unknown>> = {
    'GET /healthz': {},
    'GET /api/v1/auth/me': me,
    'GET /api/v1/checkout/plans': [
      { id: 'starter', name: 'Starter', paddle_price_id: 'pri_1', memory_mb_default: 512, volume_gb: 1 },
    ],
    [`GET ${path}`]: { data: hello },
    [`PATCH ${path}`]: { data: hello },
    [`GET ${path}/status`]: { data: { status: 'running', app_url: 'http://hello.localhost:1' } },
    [`GET ${path}/releases`]: { data: [] },
    [`GET ${path}/logs`]: { data: [] },
    [`GET ${path}/secrets`]: { keys: ['LOG_LEVEL'] },
    [`POST ${path}/secrets`]: {},
    [`DELETE ${path}/secrets/LOG_LEVEL`]: {},
    [`GET ${path}/secrets/digest-key`]: { data: { key: 'a2V5' } },
    [`POST ${path}/secrets/diff`]: { data: { added: [], changed: [], removed: [], remote_only: [], version: 1 } },
    [`GET ${path}/registry-token`]: {
      data: { registry: 'r.example', repository: 'x', tag: 'y', username: 'u', token: secrets.registry },
    },
  };
  const open: Readonly<Record<string, unknown>> = {
    'POST /api/v1/auth/device': {
      device_code: 'dc',
      user_code: 'BCDF-GHJK',
      verification_uri: `http://x/device`,
      expires_in: 60,
      interval: 1,
    },
  };
  return createServer((request, response) => {
    request.resume();
    const what = `${request.method} ${request.url?.split('?')[0]}`;
    const known = request.headers.authorization === `Bearer ${tokens['logged in']}` || what === 'GET /healthz';
    const answer = open[what] ?? (known ? answers[what] : undefined);
    const refusal =
      what === 'POST /api/v1/auth/token' ? [400, 'access_denied'] : known ? [404, 'not_found'] : [401, 'no'];
    const [status, code] = answer === undefined ? refusal : [200, ''];
    const body = answer ?? { error: { code, message: code } };
    response.writeHead(Number(status), { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
}

interface Situation {
  readonly command: CommandReference;
  readonly where: (typeof places)[number];
  readonly login: (typeof logins)[number];
  readonly folder: (typeof folders)[number];
}

/** What is wrong with the command in the situation; nothing when all is well. */
async function findProblems({ command, where, login, folder }: Situation): Promise<readonly string[]> {
  const name = `${command.command} [${where}, ${login}, ${folder}]`;
  const cwd = await mkdtemp(join(place, 'run-'));
  await cp(join(place, folder), cwd, { recursive: true });
  const env: Record<string, string> = {
    HOME: place,
    SYSTEMPROMPT_LOCAL_DATA_DIR: join(place, command.command === 'cloud local up' ? 'cloud' : 'nothing'),
    ...(command.command === 'cloud open' ? { BROWSER: '/bin/true' } : {}),
    ...(where === 'CI' ? { CI: 'true' } : {}),
  };
  const token = login === 'not' ? undefined : tokens[login];
  if (token !== undefined && folder === 'project') {
    const credentials = {
      api_token: token,
      api_url: url,
      authenticated_at: '2026-01-01T00:00:00Z',
      user_email: 'a@b.c',
    };
    // Without one, so that it cannot be renewed; the other token needs none.
    const stored = login === 'expired' ? credentials : { ...credentials, refresh_token: secrets.refresh };
    await writeFile(join(cwd, '.systemprompt/credentials.json'), JSON.stringify(stored), { mode: 0o600 });
  } else if (token !== undefined) Object.assign(env, { SYSTEMPROMPT_API_TOKEN: token, SYSTEMPROMPT_API_URL: url });
  const login_ = command.command === 'cloud auth login' ? ['--environment', url] : [];
  const own = argumentsOf[command.command] ?? [];
  const args = [...command.command.split(' '), ...login_, ...(where === 'pipe' ? ['--json'] : []), ...own];
  try {
    const { exitCode, text } =
      where === 'terminal' ? await inTerminal(args, { cwd, env }) : await inPipe(args, { cwd, env });
    const undocumented =
      exitCode !== null && command.exitCodes.includes(exitCode) ? [] : [`ended with ${exitCode}:\n${text}`];
    const told = [...Object.values(secrets), ...Object.values(tokens)].filter(
      (secret) => text.includes(secret) && !(command.command === 'cloud auth token' && login === 'logged in'),
    );
    return [...undocumented, ...told.map((secret) => `told ${secret}`)].map((problem) => `${name}: ${problem}`);
  } catch (error) {
    return [`${name}: ${error instanceof Error ? error.message : error}`];
  } finally {
    await rm(cwd, { recursive: true, force: true });
  }
}

interface Ended {
  readonly exitCode: number | null;
  readonly text: string;
}

async function inPipe(args: readonly string[], world: { cwd: string; env: Record<string, string> }): Promise<Ended> {
  const { stdout, stderr, exitCode } = await runBinary(args, {
    ...world,
    timeoutMs: 150_000,
    // What goes on until Ctrl-C gets one.
    interruptAfter: (_, said) => !said.startsWith('{') && said.includes('until Ctrl-C'),
  });
  return { exitCode, text: stdout + stderr };
}

/** Whatever is asked, and what goes on until then, is answered with Ctrl-C. */
async function inTerminal(
  args: readonly string[],
  world: { cwd: string; env: Record<string, string> },
): Promise<Ended> {
  const session = openTerminal(args, world);
  await session.see(/◆|Waiting up to|until Ctrl-C/).then(
    () => session.type(keys.interrupt),
    // It has ended, or `ended` says that it has not.
    () => undefined,
  );
  return { exitCode: await session.ended(), text: session.raw() };
}

test.each(places)('every command, whoever is logged in and wherever, in: %s', { timeout: 300_000 }, async (where) => {
  const situations = commands.flatMap((command) =>
    logins.flatMap((login) => folders.map((folder): Situation => ({ command, where, login, folder }))),
  );
  expect(situations.length).toBeGreaterThan(250);
  const problems: string[] = [];
  const work = async (): Promise<void> => {
    for (let next = situations.pop(); next !== undefined; next = situations.pop()) {
      problems.push(...(await findProblems(next)));
    }
  };
  await Promise.all([work(), work(), work()]);
  expect(problems).toEqual([]);
});
