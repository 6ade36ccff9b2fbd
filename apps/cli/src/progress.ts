import { dim, green, red } from 'ansis';
import type { CommandEvent } from './output/command-event.ts';
import { formatSeconds } from './output/duration.ts';
import { plainText } from './output/plain-line.ts';
import { type Spinner, startSpinner } from './output/spinner.ts';

/** How far a step is, in bytes. */
export interface StepAmount {
  readonly done?: number | undefined;
  readonly total?: number | undefined;
}

/** One thing that takes time. */
export interface ProgressStep {
  /** Says how far the step is. */
  update(text: string): void;
  /** The same for what changes many times a second: without a terminal, a line every two seconds is enough. */
  tick(text: string, amount?: StepAmount): void;
  /** Ends the step well. @defaultValue text: the step's own */
  done(text?: string, facts?: Readonly<Record<string, string | number | boolean>>): void;
  /** Ends the step badly. */
  fail(): void;
}

/** What a person sees while a command works: always on stderr, nothing at all under `--json`. */
export interface Progress {
  /** Begins a step; `id` names it in events. */
  step(id: string, text: string): ProgressStep;
  /** One line. */
  note(text: string): void;
  /** One line that is needed under `--json` too, above what moves. */
  print(text: string): void;
}

/** Where progress goes. */
export interface ProgressOptions {
  readonly write: (text: string) => void;
  /** Whether a line may be drawn again; else there are plain lines, one per start and end of a step. */
  readonly animation: () => boolean;
  readonly silent: boolean;
  /** Tells programs the same. */
  readonly emit: (event: CommandEvent) => void;
  /** Width of the terminal. @defaultValue that of stderr */
  readonly columns?: (() => number) | undefined;
}

/** Ticks of a step that go out as events: at most ten a second. */
const tickMs = { line: 2000, event: 100 };

/** Progress on stderr: a line that moves on a terminal, one line per start and end of a step without one. */
export function createProgress(options: ProgressOptions): Progress {
  const { write, animation, silent, emit, columns = () => process.stderr.columns || 80 } = options;
  let spinner: Spinner | undefined;
  const print = (text: string): void => {
    // What the API or a tenant said may be in it.
    if (spinner === undefined) write(`${plainText(text)}\n`);
    else spinner.print(`${plainText(text)}\n`);
  };
  const line = (text: string): void => {
    if (!silent) print(text);
  };
  const step: Progress['step'] = (id, title) => {
    const started = performance.now();
    const seconds = (): number => Math.round(performance.now() - started) / 1000;
    const say = throttle(tickMs.line);
    const tell = throttle(tickMs.event);
    emit({ type: 'step-started', step: id, title });
    if (!silent && animation()) spinner = startSpinner(title, { write, columns });
    else line(`… ${title}`);
    const end = (text: string): void => {
      spinner?.stop();
      spinner = undefined;
      line(`${text} ${dim(`(${formatSeconds(seconds())})`)}`);
    };
    return {
      update: (message) => {
        emit({ type: 'step-progress', step: id, message });
        if (spinner === undefined) line(`  ${message}`);
        else spinner.say(`${title}: ${message}`);
      },
      tick: (message, amount = {}) => {
        if (tell()) emit({ type: 'step-progress', step: id, message, ...amount });
        if (spinner !== undefined) spinner.say(`${title}: ${message}`);
        else if (say()) line(`  ${message}`);
      },
      done: (text = title, facts) => {
        emit({ type: 'step-completed', step: id, seconds: seconds(), facts });
        end(`${green('✓')} ${text}`);
      },
      fail: () => {
        emit({ type: 'step-failed', step: id, seconds: seconds() });
        end(`${red('✗')} ${title}`);
      },
    };
  };
  return {
    note: (text) => {
      emit({ type: 'note', message: text });
      line(text);
    },
    print,
    step,
  };
}

/** Answers whether enough time has gone since it last said yes. */
function throttle(ms: number): () => boolean {
  let last = performance.now();
  return () => {
    if (performance.now() - last < ms) return false;
    last = performance.now();
    return true;
  };
}
