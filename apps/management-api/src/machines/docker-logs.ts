import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import type { LogLine, ReadLogsOptions } from '../ports/machines.ts';
import type { RunDocker } from './docker-command.ts';
import { selectLines } from './select-lines.ts';

const pauseMs = 200;

/** Reads what a container wrote, in the order of its times: the client gives the two streams on two of its own. */
export async function* readContainerLog(
  id: string,
  options: ReadLogsOptions & {
    readonly run: RunDocker;
    readonly binary: string;
    /** What the engine itself has to say of the container: why it could not be started. */
    readonly failure?: string | undefined;
    /** Whether it runs, or will again. */
    readonly isOpen: () => Promise<boolean>;
  },
): AsyncGenerator<LogLine> {
  const { run, binary, tail, since, follow = false, signal, failure, isOpen } = options;
  const limits = [
    ...(tail === undefined ? [] : ['--tail', String(tail)]),
    ...(since === undefined ? [] : ['--since', since.toISOString()]),
  ];
  const { stdout, stderr } = await run(['logs', '--timestamps', ...limits, id]);
  const history = [...parseLines('stdout', stdout), ...parseLines('stderr', stderr)].sort(byTime);
  if (failure !== undefined) {
    history.push({ time: history.at(-1)?.time ?? new Date().toISOString(), stream: 'stderr', message: failure });
  }
  yield* selectLines(history, options);
  if (!follow) return;
  const last = (stream: LogLine['stream']): string => history.findLast((line) => line.stream === stream)?.time ?? '';
  const seen = { stdout: last('stdout'), stderr: last('stderr') };
  let from = history.at(-1)?.time ?? since?.toISOString();
  for (;;) {
    // Asked before reading: what was written before it ended is then read.
    const open = await isOpen();
    const args = ['logs', '--timestamps', '--follow', ...(from === undefined ? [] : ['--since', from]), id];
    for await (const line of followClient(binary, { args, signal })) {
      if (line.time <= seen[line.stream]) continue;
      seen[line.stream] = line.time;
      from = line.time;
      yield line;
    }
    // The client ends with each run of the container; the engine may start it again.
    if (!open || signal?.aborted === true) return;
    await delay(pauseMs, undefined, signal === undefined ? {} : { signal }).catch(() => {});
  }
}

/** What the client writes, as it does, until it ends or the signal comes. */
async function* followClient(
  binary: string,
  { args, signal }: { readonly args: readonly string[]; readonly signal: AbortSignal | undefined },
): AsyncGenerator<LogLine> {
  if (signal?.aborted === true) return;
  const client = execa(binary, args, { stdin: 'ignore', reject: false, buffer: false });
  const lines: LogLine[] = [];
  let ended = false;
  let wake = (): void => {};
  const end = (): void => {
    ended = true;
    wake();
  };
  for (const stream of ['stdout', 'stderr'] as const) {
    createInterface({ input: client[stream], crlfDelay: Infinity }).on('line', (text) => {
      lines.push(...parseLines(stream, text));
      wake();
    });
  }
  client.then(end, end);
  signal?.addEventListener('abort', end, { once: true });
  try {
    while (true) {
      for (let line = lines.shift(); line !== undefined; line = lines.shift()) yield line;
      if (ended) return;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  } finally {
    signal?.removeEventListener('abort', end);
    client.kill();
  }
}

function parseLines(stream: LogLine['stream'], text: string): readonly LogLine[] {
  return text.split(/\r?\n/).flatMap((line) => {
    const [, time, message] = /^(\S+Z) ?(.*)$/s.exec(line) ?? [];
    return time === undefined || message === undefined ? [] : [{ time, stream, message }];
  });
}

// The engine writes all nine digits of every second's fraction, so times compare as text.
function byTime(a: LogLine, b: LogLine): number {
  return a.time < b.time ? -1 : Number(a.time > b.time);
}
