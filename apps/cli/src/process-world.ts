import type { ContextOptions } from './context.ts';
import { listenForInterrupt } from './interrupt.ts';
import { writeStderr } from './output/write-stderr.ts';
import { decidePresentation } from './presentation.ts';

/**
 * The world of this process. What costs time to find out, the streams and the signals, is looked up by those who ask:
 * it would cost more than many a command.
 */
export function processWorld(
  options: Pick<ContextOptions, 'version' | 'json' | 'emit'> & {
    /** Whether `--non-interactive` was given. */
    readonly refused: boolean;
  },
): ContextOptions {
  const { version, json, refused, emit } = options;
  const { env } = process;
  const decide = once(() => {
    const { stdin, stdout, stderr } = process;
    return decidePresentation({ stdin: stdin.isTTY, stdout: stdout.isTTY, stderr: stderr.isTTY, env, json, refused });
  });
  const interrupt = once(() => listenForInterrupt({ write: writeStderr }));
  return {
    cwd: process.cwd(),
    env,
    version,
    json,
    get interactive() {
      return decide().prompts;
    },
    get attended() {
      return decide().attended;
    },
    get animation() {
      return decide().animation;
    },
    get signal() {
      return interrupt().signal;
    },
    hold: (work) => interrupt().hold(work),
    write: writeStderr,
    emit,
    readStdin: () => readAll(process.stdin),
  };
}

/** What `make` makes, made when it is asked for first. */
function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

async function readAll(stream: NodeJS.ReadStream): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks).toString('utf8');
}
