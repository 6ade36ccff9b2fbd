import { describeError, renderError } from '../describe-error.ts';
import { exitCodes } from '../exit-codes.ts';
import { writeStderr } from './write-stderr.ts';

/**
 * Ends the program with one sentence when its output cannot be written, as on a full disk: a result that is not there must
 * not look like success. A reader that has left is no failure.
 */
export function guardStdout(): void {
  process.stdout.prependListener('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') return;
    writeStderr(renderError(describeError(error, { env: process.env })));
    process.exit(exitCodes.failed);
  });
}

/** Waits until what was written has left the program, or is known to have failed. */
export async function drained(stream: NodeJS.WriteStream): Promise<void> {
  if (stream.writableLength > 0) {
    await new Promise<void>((resolve) => {
      stream.write('', () => resolve());
    });
  }
  // The error of a write that failed at once comes with the next turn, and is not to be seen before.
  await new Promise((resolve) => setImmediate(resolve));
}
