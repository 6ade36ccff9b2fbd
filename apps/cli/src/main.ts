import { fileURLToPath } from 'node:url';
import { flush, run } from '@oclif/core';
import { CliError } from './cli-error.ts';
import { describeError, renderError } from './describe-error.ts';
import { didYouMean } from './did-you-mean.ts';
import { drained, guardStdout } from './output/guard-stdout.ts';
import { writeStderr } from './output/write-stderr.ts';
import { describeCommands } from './reference/describe-commands.ts';
import { retiredCommand } from './retired-commands.ts';

/**
 * Runs one command line and ends the process with its exit code. Errors of commands are reported by the command; what
 * arrives here happened before one was found.
 */
export async function main({ argv, root }: { argv: readonly string[]; root: string }): Promise<never> {
  guardStdout();
  try {
    await refuseTopic(argv);
    await run([...argv], root);
  } catch (thrown) {
    const error = isUnknownCommand(thrown) ? await unknownCommand(argv) : thrown;
    const described = describeError(error, { env: process.env });
    // oclif's help and version also leave by throwing.
    if (!isExit(error)) {
      process.exitCode = described.exitCode;
      if (argv.includes('--json-lines'))
        process.stdout.write(`${JSON.stringify({ type: 'error', ...described.json })}\n`);
      else if (argv.includes('--json') || process.env['SYSTEMPROMPT_CONTENT_TYPE'] === 'json')
        process.stdout.write(`${JSON.stringify(described.json, undefined, 2)}\n`);
      else writeStderr(renderError(described));
    }
  }
  await flush();
  await drained(process.stdout);
  process.exit();
}

/** Who asks for JSON is a program, and the help of a topic is no answer to one. */
async function refuseTopic(argv: readonly string[]): Promise<void> {
  const isJson = argv.includes('--json') || argv.includes('--json-lines');
  const typed = argv.slice(0, argv.findIndex((word) => word.startsWith('-')) >>> 0).join(' ');
  const isVersion = argv[0] === '--version' || argv[0] === '-v';
  const isOther = isVersion || (typed === '' && argv.some((word) => !word.startsWith('-')));
  if (isJson && argv[0] === 'help') {
    throw new CliError('SP_CLI_USAGE', 'Help is for people; programs take `systemprompt commands --json`');
  }
  if (!isJson || isOther || argv.includes('--help') || argv.includes('-h') || typed.startsWith('help')) return;
  const commands = await describeCommands(fileURLToPath(new URL('..', import.meta.url))).catch(() => []);
  const names = commands.flatMap(({ command, aliases }) => [command, ...aliases]);
  if (names.includes(typed)) return;
  const below = typed === '' ? '' : `${typed} `;
  const available = commands
    .filter(({ hidden }) => !hidden)
    .flatMap(({ command }) => command)
    .filter((command) => command.startsWith(below));
  if (available.length === 0) return;
  const what = typed === '' ? 'There is no command' : `\`${typed}\` is no command, but has some`;
  throw new CliError('SP_CLI_UNKNOWN_COMMAND', what, { available });
}

function isExit(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 'EEXIT';
}

/** oclif has no code for it. */
function isUnknownCommand(error: unknown): boolean {
  return error instanceof Error && /^command .+ not found\.?$/i.test(error.message);
}

async function unknownCommand(argv: readonly string[]): Promise<CliError> {
  const words = argv.slice(0, argv.findIndex((word) => word.startsWith('-')) >>> 0);
  const isHelp = words[0] === 'help';
  const typed = words.slice(isHelp ? 1 : 0).join(' ');
  // What follows may be a secret.
  const [flag = ''] = argv[0]?.split('=') ?? [];
  if (typed === '') return new CliError('SP_CLI_USAGE', `A command comes first, and ${flag} after it`);
  const known = retiredCommand(typed);
  if (known !== undefined) return known;
  const commands = await describeCommands(fileURLToPath(new URL('..', import.meta.url))).catch(() => []);
  const names = commands.flatMap(({ command, aliases }) => [command, ...aliases]);
  const meant = didYouMean(typed, [...new Set(names.flatMap(withTopics))]);
  const next = meant === undefined ? undefined : [`systemprompt ${isHelp ? 'help ' : ''}${meant}`];
  return new CliError('SP_CLI_UNKNOWN_COMMAND', `\`${typed}\` is not a command of systemprompt`, { next });
}

/** `cloud`, `cloud db`, `cloud db url` of `cloud db url`: a topic shows its commands. */
function withTopics(name: string): readonly string[] {
  const words = name.split(' ');
  return words.map((_, index) => words.slice(0, index + 1).join(' '));
}
