import { existsSync } from 'node:fs';
import { CliError } from '../cli-error.ts';
import type { Context } from '../context.ts';
import { decideLoginTransport } from '../presentation.ts';

/**
 * How to log in on this computer.
 *
 * @throws {CliError} `SP_CLI_INPUT_NEEDED` where nobody would answer: without a terminal, in CI, with `--non-interactive`
 */
export function findLoginTransport(
  { env, bin, attended }: Context,
  { refused }: { readonly refused: boolean },
): 'browser' | 'device' {
  const { platform } = process;
  const transport = decideLoginTransport({ env, platform, container: isContainer(), attended, refused });
  if (transport !== 'none') return transport;
  const command = `${bin} cloud auth login`;
  throw new CliError('SP_CLI_INPUT_NEEDED', 'Nobody would answer a login page here', {
    flags: ['--token', '--device'],
    next: [`${command} --token - < token.txt`, `${command} --device`],
  });
}

function isContainer(): boolean {
  return existsSync('/.dockerenv') || existsSync('/run/.containerenv');
}
