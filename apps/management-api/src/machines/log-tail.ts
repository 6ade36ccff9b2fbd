import { open } from 'node:fs/promises';

/** As much of the end of a log as is ever read, in bytes. */
const readLimit = 256 * 1024;

/** The last lines of a text file, oldest first; none when there is no file. */
export async function readLastLines(path: string, lines: number): Promise<readonly string[]> {
  const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (file === undefined) return [];
  try {
    const { size } = await file.stat();
    const start = Math.max(0, size - readLimit);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size - start), 0, size - start, start);
    const text = buffer.toString('utf8', 0, bytesRead);
    // Cut in the middle of a line unless it is the whole file.
    return lastLines(start === 0 ? text : text.slice(text.indexOf('\n') + 1), lines);
  } finally {
    await file.close();
  }
}

/** The last lines of a text, oldest first; a final newline ends the last line. */
export function lastLines(text: string, lines: number): readonly string[] {
  if (text === '' || lines <= 0) return [];
  return text
    .replace(/\r?\n$/, '')
    .split(/\r?\n/)
    .slice(-lines);
}
