import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { destination, type Logger, pino } from 'pino';
import { redactSecrets } from '../http/log-redaction.ts';
import { loggableError } from '../http/loggable-error.ts';

/** A logger into a file that only its owner reads. Every line is on disk when the call returns. */
export function createFileLogger(path: string): { readonly logger: Logger; close(): Promise<void> } {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const file = destination({ dest: path, append: true, sync: true, mode: 0o600 });
  const logger = pino(
    {
      base: null,
      formatters: { log: redactSecrets },
      serializers: { err: loggableError },
      timestamp: pinoTime,
    },
    file,
  );
  return {
    logger,
    close: () =>
      new Promise((done) => {
        file.once('close', () => done());
        file.end();
      }),
  };
}

function pinoTime(): string {
  return `,"time":"${new Date().toISOString()}"`;
}
