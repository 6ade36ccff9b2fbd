import { setTimeout as delay } from 'node:timers/promises';
import type { LogLine, ReadLogsOptions } from '../../ports/machines.ts';
import { selectLines } from '../select-lines.ts';
import type { FlyContext, FlyScope } from './fly-context.ts';
import { logsSchema } from './fly-wire.ts';

const pauseMs = 1000;

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
  let { lines, next } = await readPart(context, { ...scope, from: undefined });
  const history = [...lines];
  // Several parts until there is nothing more; then it is the present.
  while (lines.length > 0) {
    ({ lines, next } = await readPart(context, { ...scope, from: next }));
    history.push(...lines);
  }
  yield* selectLines(history, options);
  if (!follow) return;
  for (;;) {
    if (signal?.aborted) return;
    const open = await isOpen();
    ({ lines, next } = await readPart(context, { ...scope, from: next }));
    yield* lines;
    if (!open && lines.length === 0) return;
    await delay(pauseMs, undefined, signal === undefined ? {} : { signal }).catch(() => {});
  }
}

async function readPart(
  context: FlyContext,
  scope: FlyScope & { readonly machineId: string; readonly from: string | undefined },
): Promise<{ readonly lines: readonly LogLine[]; readonly next: string | undefined }> {
  const { appName, releaseId, machineId, from } = scope;
  const url = `${context.logsUrl}/apps/${encodeURIComponent(appName)}/logs`;
  const query = { instance: machineId, next_token: from };
  const facts = { action: 'log-get', appName, releaseId, method: 'GET' } as const;
  const part = await context.api.call({ ...facts, url, query, answer: logsSchema, missing: 'absent' });
  const lines = (part?.data ?? []).map(
    ({ attributes: { timestamp, message, level } }): LogLine => ({
      time: timestamp,
      stream: level === 'error' ? 'stderr' : 'stdout',
      message: message ?? '',
    }),
  );
  return { lines, next: part?.meta?.next_token ?? from };
}
