import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { processorTime } from './processor-time.ts';
import { changingFile, createProject, projectSizes } from './project.ts';
import { startRegistry } from './registry-process.ts';
import { type Measurement, reportTables, steps } from './report.ts';
import { type BenchTool, findTools, toolNames } from './tools.ts';

/** What one measurement needs. */
interface Round {
  readonly program: string;
  readonly project: string;
  readonly work: string;
  readonly round: number;
}

/**
 * Builds and pushes a generated project with every tool, and prints the table.
 */
export async function runBenchmark(program: string, args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      project: { type: 'string', default: 'A' },
      rounds: { type: 'string', default: '3' },
      tools: { type: 'string', default: toolNames.join() },
    },
  });
  const { tools, missing } = await findTools(program, values.tools.split(','));
  const rounds = Number(values.rounds);
  const name = values.project === 'B' ? 'B' : 'A';
  const folder = await mkdtemp(join(tmpdir(), 'sp-bench-'));
  try {
    let current = join(folder, 'project');
    await createProject(current, projectSizes[name]);
    const measurements: Measurement[] = [];
    for (let round = 0; round < rounds; round += 1) {
      // Round by round, so that a slow moment of the computer meets every tool.
      for (const tool of tools) {
        // Under another name each time: engines remember the folders that they have seen.
        const project = join(folder, `project-${round}-${tool.name}`);
        await rename(current, project);
        current = project;
        measurements.push(...(await measure(tool, { program, project, work: join(folder, tool.name), round })));
      }
    }
    process.stdout.write(`${reportTables(name, measurements)}\n`);
    for (const tool of missing) process.stdout.write(`\nNot on this computer: ${tool}\n`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function measure(tool: BenchTool, { program, project, work, round }: Round): Promise<Measurement[]> {
  await mkdir(work, { recursive: true });
  const directory = join(work, 'registry');
  await rm(directory, { recursive: true, force: true });
  await using registry = await startRegistry(program, directory);
  const target = { project, work, registry: registry.host, cold: true };
  await tool.reset(target);
  const measurements: Measurement[] = [];
  for (const step of steps) {
    if (step === 'one file') await writeFile(changingFile(project), `changed ${tool.name} ${round} ${Date.now()}\n`);
    // A file that changed just now is never remembered; nobody deploys that fast.
    else await setTimeout(1100);
    const before = await processorTime([registry.pid]);
    const started = performance.now();
    await tool.build({ ...target, cold: step === 'cold' });
    const seconds = (performance.now() - started) / 1000;
    const after = await processorTime([registry.pid]);
    const processorSeconds = before === undefined || after === undefined ? undefined : after - before;
    measurements.push({ tool: tool.name, step, seconds, processorSeconds });
    process.stderr.write(
      `${tool.name} ${step}: ${seconds.toFixed(2)} s, ${processorSeconds?.toFixed(2) ?? '?'} s of processors\n`,
    );
  }
  await tool.reset(target);
  return measurements;
}
