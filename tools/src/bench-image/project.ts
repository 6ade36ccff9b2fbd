import { mkdir, open, readdir, readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** What a generated project holds, in bytes and numbers. */
export interface ProjectSize {
  readonly binaryBytes: number;
  readonly files: number;
}

export const projectSizes: Readonly<Record<'A' | 'B', ProjectSize>> = {
  A: { binaryBytes: 60_000_000, files: 2000 },
  B: { binaryBytes: 300_000_000, files: 20_000 },
};

/** The folders of a project, from what changes least to what changes most, and their part of the small files. */
export const projectFolders = [
  ['bin', 0],
  ['storage', 0.1],
  ['extensions', 0.1],
  ['web', 0.5],
  ['services', 0.3],
] as const;

/** A project like a tenant's: a real ELF binary, and text files of real text, 8 KB long on average. */
export async function createProject(directory: string, { binaryBytes, files }: ProjectSize): Promise<void> {
  await mkdir(join(directory, 'bin'), { recursive: true });
  await writeBinary(join(directory, 'bin', 'server'), binaryBytes);
  const text = await realText();
  const random = createRandom(files);
  for (const [folder, share] of projectFolders) {
    const count = Math.round(files * share);
    for (let index = 0; index < count; index += 1) {
      const place = join(directory, folder, `group-${index % 40}`);
      if (index < 40) await mkdir(place, { recursive: true });
      // Mostly small, sometimes large, as sources are.
      const length = Math.ceil(500 + random() ** 3 * 30_000);
      const start = Math.floor(random() * (text.length - length));
      await writeFile(join(place, `file-${index}.txt`), text.subarray(start, start + length));
    }
  }
}

/** The file that the benchmark changes between two builds. */
export function changingFile(directory: string): string {
  return join(directory, 'services', 'group-0', 'file-0.txt');
}

/** The Node that runs this, as often as needed: gzip looks back 32 KiB, so repetition does not make it smaller. */
async function writeBinary(path: string, size: number): Promise<void> {
  const elf = await readFile(process.execPath);
  const file = await open(path, 'w', 0o755);
  for (let left = size; left > 0; left -= elf.length) await file.writeFile(elf.subarray(0, left));
  await file.close();
}

async function realText(): Promise<Buffer> {
  const folder = dirname(createRequire(import.meta.url).resolve('typescript'));
  const names = (await readdir(folder)).filter((name) => /\.(?:js|d\.ts)$/.test(name)).sort();
  return Buffer.concat(await Promise.all(names.map((name) => readFile(join(folder, name)))));
}

/** The same numbers in every run. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
