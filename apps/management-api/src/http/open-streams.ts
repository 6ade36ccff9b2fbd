import type { Frame } from './frame.ts';

/** The event streams that are open: one timer and one signal for all of them, however many there are. */
export interface OpenStreams {
  /** Adds a stream; what it gives takes it away again. */
  add(stream: OpenStream): () => void;
  /** What an event is on the wire: made once, however many streams are sent the same object. */
  encode(event: object, make: () => Frame): Frame;
}

/** What is done to every stream. */
export interface OpenStream {
  /** Sends a sign of life. */
  beat(): void;
  /** Ends it: the server stops. */
  end(): void;
}

/** The signs of life of all streams are not sent at once, but in so many parts. */
const parts = 16;

/** Streams that get a sign of life every `heartbeatMs`, and end with `signal`. */
export function createOpenStreams(options: {
  readonly heartbeatMs: number;
  readonly signal: AbortSignal;
}): OpenStreams {
  const { heartbeatMs, signal } = options;
  const slots = Array.from({ length: parts }, () => new Set<OpenStream>());
  const frames = new WeakMap<object, Frame>();
  let added = 0;
  let open = 0;
  let turn = 0;
  let timer: ReturnType<typeof setInterval> | undefined;

  signal.addEventListener(
    'abort',
    () => {
      for (const slot of slots) for (const stream of slot) stream.end();
    },
    { once: true },
  );

  return {
    encode: (event, make) => {
      const known = frames.get(event);
      if (known !== undefined) return known;
      const made = make();
      frames.set(event, made);
      return made;
    },
    add: (stream) => {
      if (signal.aborted) {
        stream.end();
        return () => {};
      }
      const slot = slots[added % parts] as Set<OpenStream>;
      added += 1;
      slot.add(stream);
      open += 1;
      timer ??= setInterval(() => {
        turn = (turn + 1) % parts;
        for (const each of slots[turn] ?? []) each.beat();
      }, heartbeatMs / parts);
      return () => {
        if (!slot.delete(stream)) return;
        open -= 1;
        if (open > 0) return;
        clearInterval(timer);
        timer = undefined;
      };
    },
  };
}
