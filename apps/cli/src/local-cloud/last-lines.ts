import { readFile } from 'node:fs/promises';

/** The last 20 lines of a log; none when it is empty or cannot be read. */
export async function readLastLines(path: string): Promise<readonly string[]> {
  const text = await readFile(path, 'utf8').catch(() => '');
  return text.trimEnd() === '' ? [] : text.trimEnd().split('\n').slice(-20);
}
