import { type DestinationStream, type Logger, pino } from 'pino';
import { redactSecrets } from '../http/log-redaction.ts';
import { loggableError } from '../http/loggable-error.ts';

/** Lines are written together, so many bytes at once or after so many ms: a write for each costs more than the line. */
const batch = { bytes: 8192, ms: 50 };

/** From this level on a line is written before the call returns, with all before it. */
const urgent = pino.levels.values['warn'] ?? 40;

/**
 * A logger of one JSON document a line; values of members that hold secrets are left out. What waits to be written is
 * written when the process exits, also by an error that nobody caught; a process that is killed loses the last
 * milliseconds, warnings and errors excepted. @defaultValue to stdout
 */
export function createServiceLogger(level: string, destination?: DestinationStream): Logger {
  const stdout = destination === undefined ? openStdout() : undefined;
  return pino(
    {
      level,
      base: { service: 'sp-management-api' },
      serializers: { err: loggableError },
      timestamp: createTimestamp(),
      formatters: { level: (label) => ({ level: label }), log: redactSecrets },
      hooks: {
        logMethod(args, method, atLevel) {
          method.apply(this, args);
          if (atLevel >= urgent) stdout?.writeNow();
        },
      },
    },
    destination ?? stdout?.stream ?? process.stdout,
  );
}

function openStdout(): { readonly stream: DestinationStream; writeNow(): void } {
  const stream = pino.destination({ fd: 1, sync: true, minLength: batch.bytes, periodicFlush: batch.ms });
  const writeNow = (): void => {
    try {
      stream.flushSync();
    } catch {
      // Nobody reads it any more.
    }
  };
  process.on('exit', writeNow);
  return { stream, writeNow };
}

/** The time of a line in ISO 8601; lines of the same millisecond share the text. */
function createTimestamp(): () => string {
  let at = Number.NaN;
  let text = '';
  return () => {
    const now = Date.now();
    if (now !== at) {
      at = now;
      text = `,"time":"${new Date(now).toISOString()}"`;
    }
    return text;
  };
}
