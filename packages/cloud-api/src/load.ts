/** Waits for a part of this package, or for the caller's token; rejects with the signal's reason as soon as it is aborted. */
export async function load<T>(part: () => Promise<T>, signal: AbortSignal): Promise<T> {
  let abort: (() => void) | undefined;
  try {
    return await Promise.race([
      part(),
      new Promise<never>((_, reject) => {
        abort = () => reject(signal.reason as Error);
        if (signal.aborted) abort();
        signal.addEventListener('abort', abort);
      }),
    ]);
  } finally {
    if (abort !== undefined) signal.removeEventListener('abort', abort);
  }
}
