import { Command, Flags } from '@oclif/core';
import { type Context, createContext } from './context.ts';
import { describeError, renderError } from './describe-error.ts';
import { isInteractive } from './interactive.ts';
import { toSnakeCase } from './output/snake-case.ts';
import { writeStderr } from './output/write-stderr.ts';

/**
 * What all commands share: `--json`, `--non-interactive`, the {@link Context}, and one way to fail. A command returns its
 * result as an object; text goes out through `log` and is silent under `--json`.
 */
export abstract class BaseCommand extends Command {
  static override enableJsonFlag = true;

  static override baseFlags = {
    'non-interactive': Flags.boolean({
      summary: 'Never ask; fail with exit code 3 when a value is missing.',
      env: 'SYSTEMPROMPT_NON_INTERACTIVE',
      helpGroup: 'GLOBAL',
    }),
  };

  #context: Context | undefined;

  /** Everything that comes from outside of the program. */
  protected get context(): Context {
    this.#context ??= this.createContext();
    return this.#context;
  }

  /** Tests override this to put a command into another world. */
  protected createContext(): Context {
    const { env, stdin, stdout, stderr } = process;
    const json = this.jsonEnabled();
    const refused = this.argv.includes('--non-interactive');
    return createContext({
      cwd: process.cwd(),
      env,
      version: this.config.version,
      json,
      interactive: isInteractive({ stdin: stdin.isTTY, stdout: stdout.isTTY, env, json, refused }),
      terminal: stderr.isTTY,
      write: writeStderr,
      readStdin: () => readAll(stdin),
      signal: interruptSignal(),
    });
  }

  /** oclif's own would look at nothing but the exit code and print every enumerable field of an error. */
  protected override async catch(error: unknown): Promise<void> {
    const described = describeError(error, { env: process.env });
    process.exitCode = described.exitCode;
    if (this.jsonEnabled()) this.logJson(described.json);
    else writeStderr(renderError(described));
  }

  protected override toSuccessJson(result: unknown): unknown {
    return toSnakeCase(result);
  }
}

async function readAll(stream: NodeJS.ReadStream): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks).toString('utf8');
}

/** Aborted by the first Ctrl-C or SIGTERM, so that a command can clean up; the second one ends the process. */
function interruptSignal(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(130);
      controller.abort();
      // A wait that does not listen to the signal must not keep the terminal.
      setTimeout(() => process.exit(130), 5000).unref();
    });
  }
  return controller.signal;
}
