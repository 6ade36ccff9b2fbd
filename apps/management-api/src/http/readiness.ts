import type { Context } from 'hono';
import type { Logger } from 'pino';
import { loggableError } from './loggable-error.ts';

/** A part without which requests cannot be answered; throws when it is not there. */
export type ReadinessCheck = () => Promise<void> | void;

/** The longest that a part may take to answer, in ms. */
const patienceMs = 2000;

/** Answers 200 when every part is there, else 503; the body names each part, and of a failure no more than that. */
export async function answerReadiness(
  context: Context,
  { checks, logger }: { readonly checks: Readonly<Record<string, ReadinessCheck>>; readonly logger: Logger },
): Promise<Response> {
  const parts = await Promise.all(
    Object.entries(checks).map(async ([name, check]) => {
      const timeout = AbortSignal.timeout(patienceMs);
      try {
        await Promise.race([
          Promise.resolve().then(check),
          new Promise<never>((_, reject) => {
            timeout.addEventListener('abort', () => reject(new Error(`No answer in ${patienceMs} ms`)));
          }),
        ]);
        return [name, 'ok'] as const;
      } catch (error) {
        logger.warn({ part: name, err: loggableError(error) }, 'not ready');
        return [name, 'failed'] as const;
      }
    }),
  );
  const ready = parts.every(([, state]) => state === 'ok');
  return context.json({ status: ready ? 'ok' : 'unavailable', parts: Object.fromEntries(parts) }, ready ? 200 : 503);
}
