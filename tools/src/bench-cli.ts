// Start-up of the built CLI against `node -e 0`, interleaved: medians of processor time (user + system) and wall time.
// Needs bash, whose `time` knows the processor time of a child. Usage: node tools/dist/bench-cli.js [rounds]
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Milliseconds. */
interface Sample {
  readonly cpu: number;
  readonly wall: number;
}

const entry = fileURLToPath(new URL('../../apps/cli/bin/run.cjs', import.meta.url));
const id = '0b1c6f4e-6d60-4d3c-9a53-0f7c0f5b7d11';
const tenant = {
  id,
  name: 'hello',
  status: 'active',
  external_db_access: false,
  database_url: 'postgresql://u:***@h/d',
};

/** What is measured, and how many times `node -e 0` it may cost. */
const cases = [
  { name: 'node -e 0', args: ['-e', '0'], budget: 1 },
  { name: '--version', args: [entry, '--version'], budget: 1.15 },
  { name: '--help', args: [entry, '--help'], budget: 2 },
  { name: 'cloud tenant --help', args: [entry, 'cloud', 'tenant', '--help'], budget: 2 },
  { name: 'cloud tenant list --cached', args: [entry, 'cloud', 'tenant', 'list', '--cached'], budget: 2 },
  { name: 'cloud auth whoami (one call)', args: [entry, 'cloud', 'auth', 'whoami'], budget: 2.5 },
  { name: 'cloud status (two calls)', args: [entry, 'cloud', 'status'], budget: 2.5 },
] as const;

async function measure(args: readonly string[], options: { cwd: string; env: NodeJS.ProcessEnv }): Promise<Sample> {
  const script = 'TIMEFORMAT="%3R %3U %3S"; time "$0" "$@" >/dev/null';
  // Not spawnSync: the API that some commands ask is in this process.
  const child = spawn('bash', ['-c', script, process.execPath, ...args], {
    ...options,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const code = await new Promise<number | null>((resolve, reject) =>
    child.once('error', reject).once('close', resolve),
  );
  if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}: ${said}`);
  const [real = 0, user = 0, system = 0] = (said.trim().split('\n').at(-1) ?? '').split(' ').map(Number);
  return { cpu: (user + system) * 1000, wall: real * 1000 };
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}

const rounds = Number(process.argv[2] ?? 21);
const api = createServer((request, response) => {
  const me = { user: { id: 'u1', email: 'ada@example.com' }, tenants: [tenant] };
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify(request.url?.endsWith('/status') ? { data: { status: 'running' } } : me));
});
await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve));
const cwd = await mkdtemp(join(tmpdir(), 'sp-bench-'));
try {
  await mkdir(join(cwd, '.systemprompt'));
  await writeFile(
    join(cwd, '.systemprompt/tenants.json'),
    JSON.stringify({
      tenants: Array.from({ length: 20 }, (_, index) => ({
        id: `${index}${id.slice(2)}`,
        name: `t${index}`,
        region: 'iad',
        tenant_type: 'cloud',
        external_db_access: false,
      })),
      synced_at: '2026-01-01T00:00:00Z',
    }),
    { mode: 0o600 },
  );
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: cwd,
    SYSTEMPROMPT_API_TOKEN: 'x',
    SYSTEMPROMPT_API_URL: `http://127.0.0.1:${(api.address() as AddressInfo).port}`,
  };
  const samples = new Map<string, Sample[]>(cases.map(({ name }) => [name, []]));
  for (let round = -2; round < rounds; round += 1) {
    for (const { name, args } of cases) {
      const sample = await measure(args, { cwd, env });
      // The first two fill the caches of the system and of V8.
      if (round >= 0) samples.get(name)?.push(sample);
    }
  }
  const medianOf = (name: string, kind: keyof Sample): number =>
    median((samples.get(name) ?? []).map((sample) => sample[kind]));
  const base = { cpu: medianOf('node -e 0', 'cpu'), wall: medianOf('node -e 0', 'wall') };
  console.log(`Node ${process.version}, ${rounds} rounds; node -e 0: cpu ${base.cpu} ms, wall ${base.wall} ms`);
  for (const { name, budget } of cases) {
    const [cpu, wall] = [medianOf(name, 'cpu'), medianOf(name, 'wall')];
    const within = cpu / base.cpu <= budget ? '' : '  OVER';
    console.log(
      `${name.padEnd(30)} cpu ${cpu.toFixed(0).padStart(4)} ms ${(cpu / base.cpu).toFixed(2).padStart(5)}x` +
        `  wall ${wall.toFixed(0).padStart(4)} ms ${(wall / base.wall).toFixed(2).padStart(5)}x  budget ${budget}x${within}`,
    );
  }
} finally {
  api.close();
  api.closeAllConnections();
  await rm(cwd, { recursive: true, force: true });
}
