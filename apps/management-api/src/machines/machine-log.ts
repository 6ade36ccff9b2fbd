import { type FileHandle, open } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { LogLine, ReadLogsOptions } from '../ports/machines.ts';
import { selectLines } from './select-lines.ts';

const followPauseMs = 100;
const chunkBytes = 64 * 1024;

/**
 * Reads a log that a supervisor writes: lines of `<time> <stream> <message>`. When it is full it becomes `<path>.1` and
 * a new one begins; while following, that is seen.
 */
export async function* readMachineLog(
  path: string,
  options: ReadLogsOptions & {
    /** Nothing more is written once this is false. */
    readonly isOpen: () => Promise<boolean>;
  },
): AsyncGenerator<LogLine> {
  const { follow = false, signal, isOpen } = options;
  const older = await openIfThere(`${path}.1`);
  let current: OpenLog | undefined;
  try {
    current = await openIfThere(path);
    const history = [...(await readRest(older)), ...(await readRest(current))];
    yield* selectLines(history, options);
    await older?.file.close();
    if (!follow) return;
    for (;;) {
      if (signal?.aborted) return;
      // Asked before reading: what was written before it ended is then read.
      const open = await isOpen();
      const next = await openIfThere(path);
      const replaced = next?.inode !== current?.inode;
      yield* await readRest(current);
      if (replaced) {
        await current?.file.close();
        current = next;
        yield* await readRest(current);
      } else {
        await next?.file.close();
      }
      if (!open) return;
      await delay(followPauseMs, undefined, signal === undefined ? {} : { signal }).catch(() => {});
    }
  } finally {
    await current?.file.close();
    await older?.file.close().catch(() => {});
  }
}

interface OpenLog {
  readonly file: FileHandle;
  readonly inode: number;
  position: number;
  /** The beginning of a line whose end is not written yet. */
  rest: Buffer;
}

async function openIfThere(path: string): Promise<OpenLog | undefined> {
  const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (file === undefined) return undefined;
  return { file, inode: (await file.stat()).ino, position: 0, rest: Buffer.alloc(0) };
}

/** What was written since the last time. */
async function readRest(log: OpenLog | undefined): Promise<readonly LogLine[]> {
  if (log === undefined) return [];
  const chunks = [log.rest];
  for (;;) {
    const { buffer, bytesRead } = await log.file.read(Buffer.alloc(chunkBytes), 0, chunkBytes, log.position);
    if (bytesRead === 0) break;
    log.position += bytesRead;
    chunks.push(buffer.subarray(0, bytesRead));
  }
  const bytes = Buffer.concat(chunks);
  const end = bytes.lastIndexOf('\n') + 1;
  log.rest = bytes.subarray(end);
  return bytes.toString('utf8', 0, end).split('\n').flatMap(parseLine);
}

function parseLine(line: string): readonly LogLine[] {
  const [, time, stream, message] = /^(\S+Z) (stdout|stderr) (.*)$/s.exec(line) ?? [];
  if (time === undefined || message === undefined) return [];
  return [{ time, stream: stream === 'stderr' ? 'stderr' : 'stdout', message }];
}
