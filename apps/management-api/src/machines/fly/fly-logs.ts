import { setTimeout as delay } from 'node:timers/promises';
import type { LogLine, ReadLogsOptions } from '../../ports/machines.ts';
import { selectLines } from '../select-lines.ts';
import type { FlyContext, FlyScope } from './fly-context.ts';
import { logsSchema } from './fly-wire.ts';

const pauseMs = 1000;
/** More parts of what was written before are not asked for; each costs a request of a small allowance. */
const historyParts = 30;
/** More lines of what was written before are not kept in memory. */
const historyLines = 10_000;

/**
 * A machine's output as Fly.io keeps it: its last lines, for some days. It does not tell the two streams apart; what it
 * calls an error counts as `stderr`.
 */
export async function* readFlyLogs(
  context: FlyContext,
  scope: FlyScope & {
    readonly machineId: string;
    readonly options: ReadLogsOptions;
    readonly isOpen: () => Promise<boolean>;
  },
): AsyncGenerator<LogLine> {
  const { options, isOpen } = scope;
  const { follow = false, signal } = options;
  if (signal?.aborted) return;
  const startedAt = Date.now();
  const kept = Math.min(options.tail ?? historyLines, historyLines);
  let { lines, next } = await readPart(context, { ...scope, signal, from: undefined });
  let history = [...lines];
  // Several parts until there is nothing more; then it is the present. A machine that writes faster than it is read, or a
  // provider that repeats itself, is read up to the call and no further.
  for (let parts = 1; lines.length > 0 && parts < historyParts && !isAfter(lines, startedAt); parts++) {
    if (signal?.aborted) return;
    ({ lines, next } = await readPart(context, { ...scope, signal, from: next }));
    history = [...history, ...lines].slice(-kept);
  }
  yield* selectLines(history, options);
  if (!follow) return;
  for (;;) {
    if (signal?.aborted) return;
    const open = await isOpen();
    ({ lines, next } = await readPart(context, { ...scope, signal, from: next }));
    yield* lines;
    if (!open && lines.length === 0) return;
    await delay(pauseMs, undefined, signal === undefined ? {} : { signal }).catch(() => {});
  }
}

function isAfter(lines: readonly LogLine[], time: number): boolean {
  return Date.parse(lines.at(-1)?.time ?? '') >= time;
}

async function readPart(
  context: FlyContext,
  scope: FlyScope & {
    readonly machineId: string;
    readonly from: string | undefined;
    readonly signal: AbortSignal | undefined;
  },
): Promise<{ readonly lines: readonly LogLine[]; readonly next: string | undefined }> {
  const { appName, releaseId, machineId, from, signal } = scope;
  const url = `${context.logsUrl}/apps/${encodeURIComponent(appName)}/logs`;
  const query = { instance: machineId, next_token: from };
  const facts = { action: 'log-get', appName, releaseId, method: 'GET', signal } as const;
  const request = context.api.call({ ...facts, url, query, answer: logsSchema, missing: 'absent' });
  const part = await request.catch((error: unknown) => {
    // Who reads no more has not failed.
    if (signal?.aborted === true) return undefined;
    throw error;
  });
  const lines = (part?.data ?? []).map(
    ({ attributes: { timestamp, message, level } }): LogLine => ({
      time: timestamp,
      stream: level === 'error' ? 'stderr' : 'stdout',
      message: message ?? '',
    }),
  );
  return { lines, next: part?.meta?.next_token ?? from };
}
