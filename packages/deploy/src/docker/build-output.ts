import type { StepProgress } from '../image-builder.ts';

/** A line of `docker build` with how far it is, of the classic builder (`Step 2/9 : …`) and of BuildKit (`#7 [2/9] …`). */
export function readBuildLine(line: string): StepProgress {
  const step = /^(?:Step|STEP) (\d+)\/(\d+)\s*:/.exec(line) ?? /^#\d+ \[(?:[^\]]* )?(\d+)\/(\d+)\]/.exec(line);
  if (step === null) return { message: line };
  return { message: line, done: Number(step[1]) - 1, total: Number(step[2]) };
}

const engineGone =
  /cannot connect to the docker daemon|error during connect|error reading from server|unexpected EOF|connection reset by peer|broken pipe|transport is closing|failed to receive status|context canceled|daemon is shutting down|is the docker daemon running/i;

/** Whether an engine that went away explains the last lines. */
export function saysEngineIsGone(lines: readonly string[]): boolean {
  return lines.slice(-3).some((line) => engineGone.test(line));
}

/** The line that says what went wrong: BuildKit goes on printing after it. */
export function reasonOfFailure(lines: readonly string[]): string | undefined {
  return (
    lines.findLast((line) => /^(?:ERROR|error|Error)\b/.test(line)) ?? lines.findLast((line) => line.trim() !== '')
  );
}
