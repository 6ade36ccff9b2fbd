import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { BackupFormat } from './backup-description.ts';

/** What a dump tells about itself before its content. */
export interface DumpOrigin {
  /** Of the `pg_dump` that wrote it, for example `18.1`; absent where it does not say. */
  readonly version: string | undefined;
  /** Its major version; 0 where it does not say. */
  readonly major: number;
  /** Whether restoring it sets `transaction_timeout`, which servers before 17 do not know. */
  readonly setsTransactionTimeout: boolean;
  /** Bytes of the byte order mark before SQL. */
  readonly markBytes: 0 | 3;
}

/** First version that writes and sets `transaction_timeout`. */
export const firstWithTransactionTimeout = 17;

/** Reads the beginning of a dump: who wrote it, and what it asks of a server. */
export async function readDumpOrigin(path: string, format: BackupFormat): Promise<DumpOrigin> {
  const file = format === 'directory' ? join(path, 'toc.dat') : path;
  // A folder without it is for pg_restore to refuse.
  const head = await readHead(file, 16_384).catch(() => Buffer.alloc(0));
  if (format === 'sql') {
    const text = head.toString('latin1');
    const version = /^-- Dumped by pg_dump version (\d\S*)/m.exec(text)?.[1];
    return {
      version,
      major: majorOf(version),
      setsTransactionTimeout: /^SET transaction_timeout\b/m.test(text),
      markBytes: startsWithMark(head) ? 3 : 0,
    };
  }
  const version = versionInArchive(head);
  const major = majorOf(version);
  return { version, major, setsTransactionTimeout: major >= firstWithTransactionTimeout, markBytes: 0 };
}

/** The first bytes of a file: as many as there are, and `length` at most. */
export async function readHead(path: string, length: number): Promise<Buffer> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

function startsWithMark(head: Buffer): boolean {
  return head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf;
}

function majorOf(version: string | undefined): number {
  return Number.parseInt(version ?? '0', 10);
}

/**
 * After `PGDMP`: version of the form (3 bytes), size of integers, size of offsets, form; compression, which is one byte
 * since form 1.15; seven integers of the date; then the database, the server's version and that of pg_dump, each with
 * its length before it. Integers have their sign first.
 */
function versionInArchive(head: Buffer): string | undefined {
  const [major = 0, minor = 0, , size = 0] = head.subarray(5);
  if (head.toString('latin1', 0, 5) !== 'PGDMP' || size < 1 || size > 6) return undefined;
  const integer = 1 + size;
  const short = major > 1 || minor >= 15;
  let at = 11 + (short ? 1 : integer) + 7 * integer;
  let text = '';
  for (let each = 0; each < 3; each += 1) {
    if (at + integer > head.length) return undefined;
    const length = head[at] === 0 ? head.readUIntLE(at + 1, size) : 0;
    text = head.toString('latin1', at + integer, at + integer + length);
    at += integer + length;
  }
  return /^\d+\S*/.exec(text)?.[0];
}
