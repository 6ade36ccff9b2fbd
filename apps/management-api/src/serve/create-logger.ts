import { type DestinationStream, type Logger, pino } from 'pino';
import { redactSecrets } from '../http/log-redaction.ts';
import { loggableError } from '../http/loggable-error.ts';

/** A logger of one JSON document a line; values of members that hold secrets are left out. @defaultValue to stdout */
export function createServiceLogger(level: string, destination?: DestinationStream): Logger {
  return pino(
    {
      level,
      base: { service: 'sp-management-api' },
      serializers: { err: loggableError },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }), log: redactSecrets },
    },
    destination ?? pino.destination({ fd: 1, sync: true }),
  );
}
