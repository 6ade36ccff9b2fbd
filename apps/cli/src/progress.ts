import { dim, green, red } from 'ansis';
import { formatSeconds } from './output/duration.ts';

/** One thing that takes time. */
export interface ProgressStep {
  /** Says how far the step is. */
  update(text: string): void;
  /** The same for what changes many times a second: without a terminal, a line every two seconds is enough. */
  tick(text: string): void;
  /** Ends the step well. @defaultValue text: the step's own */
  done(text?: string): void;
  /** Ends the step badly. */
  fail(): void;
}

/** What a person sees while a command works: always on stderr, nothing at all under `--json`. */
export interface Progress {
  step(text: string): Promise<ProgressStep>;
  /** One line. */
  note(text: string): void;
}

/** Where progress goes. */
export interface ProgressOptions {
  readonly write: (text: string) => void;
  /** Whether stderr is a terminal: a spinner, else plain lines. */
  readonly terminal: boolean;
  readonly silent: boolean;
}

/** Progress on stderr: a spinner on a terminal, one line per start and end of a step without one. */
export function createProgress({ write, terminal, silent }: ProgressOptions): Progress {
  const line = (text: string): void => {
    if (!silent) write(`${text}\n`);
  };
  return {
    note: line,
    step: async (text) => {
      const started = performance.now();
      const elapsed = (): string => dim(`(${formatSeconds((performance.now() - started) / 1000)})`);
      if (silent)
        return { update: () => undefined, tick: () => undefined, done: () => undefined, fail: () => undefined };
      if (terminal) return spinnerStep(text, elapsed);
      line(`… ${text}`);
      let lastTick = started;
      return {
        update: (next) => line(`  ${next}`),
        tick: (next) => {
          if (performance.now() - lastTick < 2000) return;
          lastTick = performance.now();
          line(`  ${next}`);
        },
        done: (end = text) => line(`${green('✓')} ${end} ${elapsed()}`),
        fail: () => line(`${red('✗')} ${text} ${elapsed()}`),
      };
    },
  };
}

async function spinnerStep(text: string, elapsed: () => string): Promise<ProgressStep> {
  const { spinner } = await import('@clack/prompts');
  const spin = spinner({ output: process.stderr });
  spin.start(text);
  return {
    update: (next) => spin.message(`${text}: ${next}`),
    tick: (next) => spin.message(`${text}: ${next}`),
    done: (end = text) => spin.stop(`${end} ${elapsed()}`),
    fail: () => spin.error(`${text} ${elapsed()}`),
  };
}
