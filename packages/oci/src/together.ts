/** Runs `count` workers; the first failure stops the others and is thrown when all have ended. */
export async function together(
  count: number,
  signal: AbortSignal | undefined,
  worker: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const controller = new AbortController();
  const onAbort = (): void => controller.abort(signal?.reason);
  if (signal?.aborted) onAbort();
  signal?.addEventListener('abort', onAbort, { once: true });
  let failure: { readonly error: unknown } | undefined;
  const run = async (): Promise<void> => {
    try {
      controller.signal.throwIfAborted();
      await worker(controller.signal);
    } catch (error) {
      failure ??= { error };
      controller.abort(error);
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.max(1, Math.floor(count)) }, run));
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
  if (failure !== undefined) throw failure.error;
}
