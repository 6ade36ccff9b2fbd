import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { format } from 'node:util';
import { vi } from 'vitest';
import { readmeProgram } from './readme-program.ts';

const packages = fileURLToPath(new URL('../../../packages/', import.meta.url));

/** What a README's examples need to run. */
export interface ReadmeRun {
  /** Where the program is written; its files belong here too. */
  readonly folder: string;
  /** Texts of the examples that are something else here, such as a path. What is printed has the README's again. */
  readonly replace?: Readonly<Record<string, string>>;
  /** What the reader has already, by its name in the examples. */
  readonly names?: Readonly<Record<string, unknown>>;
  /** Called with each line that is printed. */
  readonly onLine?: (line: string) => void;
}

/** Runs all examples of a package's README, one after the other, on the sources. */
export async function runReadme(name: string, options: ReadmeRun): Promise<{ printed: string[]; promised: string[] }> {
  const { folder, replace = {}, names = {}, onLine } = options;
  const readme = await readFile(join(packages, name, 'README.md'), 'utf8');
  const exported = Object.keys((await import(join(packages, name, 'src/index.ts'))) as object);
  let program = readmeProgram(readme, { name: `@sp/${name}`, exported });
  for (const [theirs, ours] of Object.entries(replace)) {
    if (!program.includes(theirs)) throw new Error(`The README of ${name} has no ${theirs}`);
    program = program.replaceAll(theirs, ours);
  }
  program = program.replace(/'@sp\/([^/']+)(?:\/([^']+))?'/g, (_, folder: string, entry = 'index') =>
    JSON.stringify(join(packages, folder, 'src', `${entry as string}.ts`)),
  );
  const given = `const { ${Object.keys(names).join(', ')} } = globalThis.readersNames;\n`;
  await mkdir(folder, { recursive: true });
  const file = join(folder, 'program.ts');
  await writeFile(file, `${given}${program}`);

  const printed: string[] = [];
  const log = vi.spyOn(console, 'log').mockImplementation((...values: unknown[]) => {
    let line = format(...values);
    for (const [theirs, ours] of Object.entries(replace)) line = line.replaceAll(ours, theirs);
    printed.push(line);
    onLine?.(line);
  });
  vi.stubGlobal('readersNames', names);
  try {
    await import(/* @vite-ignore */ pathToFileURL(file).href);
  } finally {
    log.mockRestore();
    vi.unstubAllGlobals();
  }
  return { printed, promised: promisedLines(readme) };
}

/** What the comments behind and below `console.log(…)` say that it prints. */
function promisedLines(readme: string): string[] {
  const examples = Array.from(readme.matchAll(/^```ts\n(.*?)^```$/gms), ([, code = '']) => code);
  return examples.flatMap((code) =>
    Array.from(
      code.matchAll(/^\/\/ (.*)$|^console\.log\(.*\); \/\/ (.*)$/gm),
      ([, below, behind]) => below ?? behind ?? '',
    ),
  );
}
