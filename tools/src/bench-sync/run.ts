import { fork, spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { countingProxy } from './counting-proxy.ts';
import { cpuSeconds } from './cpu-time.ts';
import { changeTree, createTree } from './tree.ts';

const steps = ['full', 'none', 'one percent'] as const;

interface Tool {
  readonly name: string;
  readonly target: string;
  readonly run: () => Promise<void>;
  readonly bytes: () => number;
  /** The process at the other end. */
  readonly server: number;
}

interface Measurement {
  readonly tool: string;
  readonly step: (typeof steps)[number];
  readonly seconds: number;
  /** Seconds of the processor at both ends. */
  readonly cpu: number;
  readonly bytes: number;
}

/** Syncs a generated tree with every tool, step by step so that a slow moment meets them all, and prints the table. */
export async function runBenchmark(program: string, args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      rounds: { type: 'string', default: '5' },
      fulls: { type: 'string', default: '3' },
      tarball: { type: 'string', default: 'yes' },
      files: { type: 'string', default: '20000' },
    },
  });
  const [rounds, fulls, files] = [Number(values.rounds), Number(values.fulls), Number(values.files)];
  // Certificates that an environment names are parsed at the start of every Node, and nothing here uses them.
  delete process.env['NODE_EXTRA_CA_CERTS'];
  const folder = await mkdtemp(join(tmpdir(), 'sp-bench-sync-'));
  const stops: (() => void)[] = [];
  try {
    const source = join(folder, 'source');
    await createTree(source, files);
    let tools: readonly Tool[] = [];
    const measurements: Measurement[] = [];
    // Each is the first one as often: on ext4, whoever makes files where many were deleted minutes ago searches for inodes.
    const measureAll = async (step: Measurement['step'], round: number): Promise<void> => {
      for (const tool of tools.map((_, at) => tools[(at + round) % tools.length] as Tool)) {
        tool.bytes();
        const cpuBefore = cpuSeconds('self') + cpuSeconds(tool.server);
        const started = performance.now();
        await tool.run();
        const seconds = (performance.now() - started) / 1000;
        // The other end tidies up, and its children end.
        await setTimeout(150);
        const cpu = cpuSeconds('self') + cpuSeconds(tool.server) - cpuBefore;
        measurements.push({ tool: tool.name, step, seconds, cpu, bytes: tool.bytes() });
        process.stderr.write(`${tool.name} ${step}: ${seconds.toFixed(2)} s, ${cpu.toFixed(2)} s of the processor\n`);
      }
    };
    await setTimeout(1100);
    for (let round = 0; round < fulls; round += 1) {
      for (const stop of stops.splice(0)) stop();
      const targets = join(folder, `round-${round}`);
      // Nothing is deleted between them: to make files is slower for some time after that.
      await mkdir(targets);
      tools = await startTools(program, { folder: targets, source, stops });
      if (values.tarball === 'no') tools = tools.slice(0, 2);
      await measureAll('full', round);
    }
    // What was written just now is looked at once more by everybody.
    await setTimeout(1100);
    for (const tool of tools) await tool.run();
    for (let round = 0; round < rounds; round += 1) {
      await measureAll('none', round);
      await changeTree(source, files);
      await setTimeout(1100);
      await measureAll('one percent', round);
      await setTimeout(1100);
    }
    process.stdout.write(`${table(tools, measurements)}\n`);
  } finally {
    for (const stop of stops) stop();
    await setTimeout(200);
    await rm(folder, { recursive: true, force: true });
  }
}

async function startTools(
  program: string,
  { folder, source, stops }: { readonly folder: string; readonly source: string; readonly stops: (() => void)[] },
): Promise<readonly Tool[]> {
  const targets = {
    sync: join(folder, 'by-sync'),
    rsync: join(folder, 'by-rsync'),
    tarball: join(folder, 'by-tarball'),
  };
  for (const target of Object.values(targets)) await mkdir(target);
  const tenant = fork(program, ['serve', targets.sync, targets.tarball], { stdio: 'inherit' });
  stops.push(() => void tenant.kill());
  const tenantPort = await new Promise<number>((resolve, reject) => {
    tenant.once('message', (port) => resolve(Number(port)));
    tenant.once('exit', (code) => reject(new Error(`The tenant ended with ${code}`)));
  });
  const proxy = await countingProxy(tenantPort);
  stops.push(() => proxy.close());

  const rsyncPort = await freePort();
  const config = join(folder, 'rsyncd.conf');
  const owner = `uid = ${process.getuid?.() ?? 0}\ngid = ${process.getgid?.() ?? 0}`;
  await writeFile(config, `use chroot = no\n${owner}\n[target]\npath = ${targets.rsync}\nread only = no\n`);
  // A stdin that is a socket would be its one client.
  const options = ['--daemon', '--no-detach', '--address=127.0.0.1', `--port=${rsyncPort}`, `--config=${config}`];
  const daemon = spawn('rsync', options, { stdio: ['ignore', 'ignore', 'inherit'] });
  stops.push(() => void daemon.kill());
  await setTimeout(500);
  const rsyncProxy = await countingProxy(rsyncPort);
  stops.push(() => rsyncProxy.close());

  const url = `http://127.0.0.1:${proxy.port}`;
  const state = join(folder, 'state');
  const to = `rsync://127.0.0.1:${rsyncProxy.port}/target/`;
  return [
    {
      name: '@sp/sync',
      target: targets.sync,
      run: () => run(process.execPath, [program, 'sync', source, state, url]),
      bytes: () => proxy.take(),
      server: tenant.pid ?? 0,
    },
    {
      name: 'rsync daemon',
      target: targets.rsync,
      run: () => run('rsync', ['-a', '--delete', `${source}/`, to]),
      bytes: () => rsyncProxy.take(),
      server: daemon.pid ?? 0,
    },
    {
      name: 'tarball',
      target: targets.tarball,
      run: () => run('sh', ['-c', `tar -czf - -C "${source}" . | curl -sf -T - "${url}/tarball"`]),
      bytes: () => proxy.take(),
      server: tenant.pid ?? 0,
    },
  ];
}

async function run(command: string, args: readonly string[]): Promise<void> {
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  const code = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', resolve);
  });
  if (code !== 0) throw new Error(`${command} ended with ${String(code)}`);
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function table(tools: readonly Tool[], measurements: readonly Measurement[]): string {
  const of = (tool: string, step: string) => measurements.filter((one) => one.tool === tool && one.step === step);
  const rows = tools.map(({ name }) => {
    const cells = steps.flatMap((step) => {
      const all = of(name, step);
      return [
        median(all.map(({ seconds }) => seconds)).toFixed(2),
        median(all.map(({ cpu }) => cpu)).toFixed(2),
        (median(all.map(({ bytes }) => bytes)) / 1000).toFixed(1),
      ];
    });
    return `| ${[name, ...cells].join(' | ')} |`;
  });
  const head = steps.flatMap((step) => [`${step}, s`, 'CPU s', 'KB']);
  return [`| ${['', ...head].join(' | ')} |`, `|${'---|'.repeat(head.length + 1)}`, ...rows].join('\n');
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
