import { createHash } from 'node:crypto';
import type { LogLine } from '../ports/machines.ts';

/** A place in a tenant's output: a line that a release's machine wrote. */
export interface LogPosition {
  readonly releaseNumber: number;
  readonly time: string;
  /** Of the line's text. */
  readonly digest: string;
  /** Counts equal lines of that time from 1. */
  readonly count: number;
}

/** The position as the id of an event. */
export function writePosition({ releaseNumber, time, digest, count }: LogPosition): string {
  return `${releaseNumber}/${time}/${digest}/${count}`;
}

/** Reads what {@link writePosition} wrote; anything else is `undefined`. */
export function readPosition(id: string): LogPosition | undefined {
  const match =
    /^(?<release>[1-9]\d{0,8})\/(?<time>[\dT:.Z+-]{10,40})\/(?<digest>[\da-f]{12})\/(?<count>[1-9]\d{0,8})$/.exec(id);
  const { release = '', time = '', digest = '', count = '' } = match?.groups ?? {};
  if (release === '' || Number.isNaN(Date.parse(time))) return undefined;
  return { releaseNumber: Number(release), time, digest, count: Number(count) };
}

/** The lines after a position, each with its own. Drivers know times to the millisecond at best: the rest is counted. */
export async function* afterPosition(
  lines: AsyncIterable<LogLine>,
  { releaseNumber, last }: { readonly releaseNumber: number; readonly last: LogPosition | undefined },
): AsyncGenerator<{ readonly line: LogLine; readonly position: LogPosition }> {
  let dropping = last !== undefined;
  let now = '';
  const counts = new Map<string, number>();
  for await (const line of lines) {
    if (line.time !== now) counts.clear();
    now = line.time;
    const digest = createHash('sha256').update(line.message).digest('hex').slice(0, 12);
    const count = (counts.get(digest) ?? 0) + 1;
    counts.set(digest, count);
    if (dropping && last !== undefined) {
      // What is after its time was not seen, whether or not the line itself is still kept.
      if (Date.parse(line.time) > Date.parse(last.time)) dropping = false;
      else {
        if (line.time === last.time && digest === last.digest && count === last.count) dropping = false;
        continue;
      }
    }
    yield { line, position: { releaseNumber, time: line.time, digest, count } };
  }
}
