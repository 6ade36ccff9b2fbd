import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { expect, test, vi } from 'vitest';
import { loadOciLayout } from '../src/index.ts';
import { temporaryFolder } from './setup.ts';

test('the program in the README prints what it says', async () => {
  await using folder = await temporaryFolder();
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
  const [, program = '', output = ''] = /```ts\n(import [^]*?)\/\/ (sha256:\S+)\n```/.exec(readme) ?? [];
  const source = fileURLToPath(new URL('../src/index.ts', import.meta.url));
  const text = program.replace("'@sp/oci'", JSON.stringify(source)).replaceAll("'work/", `'${folder.path}/work/`);
  await mkdir(join(folder.path, 'work'));
  const file = join(folder.path, 'program.ts');
  await writeFile(file, text);
  const log = vi.spyOn(console, 'log').mockImplementation(() => {});
  try {
    await import(/* @vite-ignore */ pathToFileURL(file).href);
    expect(log.mock.calls).toEqual([[output]]);
  } finally {
    log.mockRestore();
  }
  expect((await loadOciLayout(join(folder.path, 'work', 'layout'))).image.imageConfig.cmd).toEqual(['/app/hello']);
});
