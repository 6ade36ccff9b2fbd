import { createDeadline } from './deadline.ts';
import { CloudApiError } from './errors.ts';
import { errorOfFailure } from './failure.ts';
import { load } from './load.ts';
import type { Transport } from './transport.ts';

/** Events whose machinery is loaded when somebody begins to read them: most programs never do. */
export function eventsLater<T>(
  transport: Transport,
  options: { readonly signal?: AbortSignal | undefined },
  begin: () => Promise<AsyncIterable<T>>,
): AsyncIterable<T> {
  return {
    [Symbol.asyncIterator]: () => {
      const stopped = new AbortController();
      let events: Promise<AsyncIterator<T>> | undefined;
      const start = async (): Promise<AsyncIterator<T>> => {
        const { signal, end } = createDeadline(Infinity, [options.signal, transport.signal, stopped.signal]);
        try {
          return (await load(begin, signal))[Symbol.asyncIterator]();
        } catch (error) {
          if (signal.aborted) throw errorOfFailure(error, 'The event stream', transport.baseUrl, signal);
          // The reader of a page that went offline.
          const message = 'The code that reads event streams could not be loaded';
          throw new CloudApiError({ code: 'SP_API_NETWORK', message, retryable: true });
        } finally {
          end();
        }
      };
      return {
        next: async () => {
          try {
            return await (await (events ??= start())).next();
          } catch (error) {
            if (stopped.signal.aborted) return { done: true, value: undefined };
            throw error;
          }
        },
        return: async () => {
          stopped.abort();
          const begun = await events?.catch(() => undefined);
          return (await begun?.return?.()) ?? { done: true, value: undefined };
        },
      };
    },
  };
}
