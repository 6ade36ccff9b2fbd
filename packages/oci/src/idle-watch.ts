import { OciError } from './error.ts';

/** Ends a request whose connection stays silent, however long the request as a whole may take. */
export interface IdleWatch {
  /** Aborts when the caller does, or after the silence. */
  readonly signal: AbortSignal;
  /** Something moved: the time starts again. */
  alive(): void;
  /** Nothing is expected for now. */
  rest(): void;
  /** Over; the caller's signal is let go. */
  end(): void;
}

export function createIdleWatch(
  registry: string,
  { milliseconds, signal }: { readonly milliseconds: number; readonly signal: AbortSignal | undefined },
): IdleWatch {
  const controller = new AbortController();
  const onAbort = (): void => controller.abort(signal?.reason);
  if (signal?.aborted) onAbort();
  signal?.addEventListener('abort', onAbort, { once: true });
  const message = `Nothing from ${registry} for ${milliseconds / 1000} s`;
  const onSilence = (): void =>
    controller.abort(new OciError('SP_OCI_NETWORK', message, { registry, retryable: true }));
  let ended = false;
  let timer: NodeJS.Timeout | undefined = setTimeout(onSilence, milliseconds);
  return {
    signal: controller.signal,
    alive() {
      if (ended) return;
      // Cheap enough for every chunk.
      if (timer === undefined) timer = setTimeout(onSilence, milliseconds);
      else timer.refresh();
    },
    rest() {
      clearTimeout(timer);
      timer = undefined;
    },
    end() {
      ended = true;
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    },
  };
}

/** The same stream; every chunk counts as a sign of life, and only a reader that waits can be kept waiting. */
export function watched(body: ReadableStream<Uint8Array>, watch: IdleWatch): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        watch.alive();
        let next: Awaited<ReturnType<typeof reader.read>>;
        try {
          next = await reader.read();
        } catch (error) {
          watch.end();
          // The silence, rather than what it did to the connection.
          throw watch.signal.aborted ? watch.signal.reason : error;
        }
        if (next.done) {
          watch.end();
          controller.close();
          return;
        }
        watch.rest();
        controller.enqueue(next.value);
      },
      async cancel(reason) {
        watch.end();
        await reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
}
