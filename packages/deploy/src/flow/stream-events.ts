/**
 * The events of work that runs beside its consumer. The stream ends, or throws, as the work does; a consumer that
 * stops early stops the work, and waits until it has cleaned up.
 */
export async function* streamEvents<Event>(
  work: (emit: (event: Event) => void, signal: AbortSignal) => Promise<void>,
  outer: AbortSignal | undefined,
): AsyncGenerator<Event, void, undefined> {
  const controller = new AbortController();
  const signal = outer === undefined ? controller.signal : AbortSignal.any([outer, controller.signal]);
  const events: Event[] = [];
  let settled = false;
  let wake: () => void = () => undefined;
  const running = work((event) => {
    events.push(event);
    wake();
  }, signal).finally(() => {
    settled = true;
    wake();
  });
  // It is thrown below; until then nobody is listening.
  running.catch(() => undefined);
  try {
    for (;;) {
      for (let event = events.shift(); event !== undefined; event = events.shift()) yield event;
      if (settled) break;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    await running;
  } finally {
    controller.abort();
    await running.catch(() => undefined);
  }
}
