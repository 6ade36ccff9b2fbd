import { execFile } from 'node:child_process';
import { performance } from 'node:perf_hooks';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

/** Milliseconds that each of several pieces of work took: the median of rounds in which they take turns. */
export async function medians<Name extends string>(
  work: Readonly<Record<Name, () => Promise<unknown>>>,
  { rounds = 11, warmUps = 2 } = {},
): Promise<Readonly<Record<Name, number>>> {
  const pieces = Object.entries(work) as [Name, () => Promise<unknown>][];
  const times = new Map<Name, number[]>(pieces.map(([name]) => [name, []]));
  for (let round = -warmUps; round < rounds; round += 1) {
    for (const [name, run] of pieces) {
      const start = performance.now();
      await run();
      if (round >= 0) times.get(name)?.push(performance.now() - start);
    }
  }
  return Object.fromEntries(pieces.map(([name]) => [name, median(times.get(name) ?? [])])) as Record<Name, number>;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

const run = promisify(execFile);

/** A Node process that does just that. */
export async function runNode(program: string): Promise<void> {
  const { NODE_EXTRA_CA_CERTS: _, NODE_OPTIONS: __, ...env } = process.env;
  await run(process.execPath, ['--input-type=module', '--eval', program], { env });
}

/** The built entry of a package, for `import`. */
export function entryUrl(root: string, entry: string): string {
  return pathToFileURL(`${root}/packages/${entry}.js`).href;
}
