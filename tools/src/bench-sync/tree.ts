import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';

/** Makes text files of real text, 8 KB long on average, in folders of 250. */
export async function createTree(root: string, count: number): Promise<void> {
  const text = await readFile(createRequire(import.meta.url).resolve('typescript/lib/typescript.js'));
  let state = 7;
  const random = (): number => (state = (state * 16_807) % 2_147_483_647) / 2_147_483_647;
  for (let index = 0; index < count; index += 1) {
    if (index % 250 === 0) await mkdir(join(root, 'content', `folder-${Math.floor(index / 250)}`), { recursive: true });
    const length = Math.ceil(500 + random() ** 3 * 30_000);
    const start = Math.floor(random() * (text.length - length));
    await writeFile(pathOf(root, index), text.subarray(start, start + length));
  }
}

/** Overwrites 16 bytes of every hundredth file. */
export async function changeTree(root: string, count: number): Promise<void> {
  for (let index = Math.floor(Math.random() * 100); index < count; index += 100) {
    const content = await readFile(pathOf(root, index));
    content.write(Math.random().toString(36).padEnd(16, '0').slice(0, 16), 200);
    await writeFile(pathOf(root, index), content);
  }
}

function pathOf(root: string, index: number): string {
  return join(root, 'content', `folder-${Math.floor(index / 250)}`, `file-${index}.md`);
}
