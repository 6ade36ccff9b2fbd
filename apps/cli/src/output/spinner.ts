import { cyan, dim } from 'ansis';
import { formatSeconds } from './duration.ts';
import { plainLine } from './plain-line.ts';
import { textWidth, truncateText } from './text-width.ts';

/** A line on a terminal that says what goes on and for how long. */
export interface Spinner {
  /** What is said from now on. */
  say(text: string): void;
  /** Writes above the line. */
  print(text: string): void;
  /** Takes the line away and shows the cursor again. */
  stop(): void;
}

const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

/**
 * Draws the line ten times a second. Unlike clack's spinner it leaves stdin alone, which would turn Ctrl-C into an end
 * with exit code 0 that no clean-up hears of.
 */
export function startSpinner(
  text: string,
  {
    write,
    columns,
  }: {
    readonly write: (text: string) => void;
    /** Width of the terminal now. */
    readonly columns: () => number;
  },
): Spinner {
  const started = performance.now();
  let said = text;
  let frame = 0;
  let drawn = 0;
  const erase = (): string => {
    // A terminal that became narrower has broken the line into several.
    const rows = Math.max(0, Math.ceil(drawn / Math.max(1, columns())) - 1);
    drawn = 0;
    return `${rows > 0 ? `\u001b[${rows}A` : ''}\r\u001b[J`;
  };
  const draw = (): string => {
    const elapsed = `(${formatSeconds((performance.now() - started) / 1000)})`;
    // The terminal itself shows a Ctrl-C as `^C`, which must not begin another line.
    const room = columns() - 7 - elapsed.length;
    const shown = truncateText(plainLine(said).replaceAll(/\s+/g, ' '), Math.max(1, room));
    drawn = textWidth(shown) + 3 + elapsed.length;
    return `${cyan(frames[frame % frames.length] ?? '')} ${shown} ${dim(elapsed)}`;
  };
  const show = (): void => write('\u001b[?25h');
  write(`\u001b[?25l${draw()}`);
  // However the process ends, the cursor must be there again.
  process.once('exit', show);
  const timer = setInterval(() => {
    frame += 1;
    write(erase() + draw());
  }, 100);
  timer.unref();
  return {
    say: (next) => {
      said = next;
      write(erase() + draw());
    },
    print: (above) => write(erase() + above + draw()),
    stop: () => {
      clearInterval(timer);
      process.removeListener('exit', show);
      write(`${erase()}\u001b[?25h`);
    },
  };
}
