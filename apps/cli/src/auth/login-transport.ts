import { existsSync } from 'node:fs';
import { CliError } from '../cli-error.ts';
import type { Context } from '../context.ts';
import { decideLoginTransport } from '../presentation.ts';

/**
 * How to log in on this computer.
 *
 * @throws {CliError} `SP_CLI_INPUT_NEEDED` where nobody would answer: in CI
 */
export function findLoginTransport({ env, bin }: Context): 'browser' | 'device' {
  const transport = decideLoginTransport({ env, platform: process.platform, container: isContainer() });
  if (transport !== 'none') return transport;
  const command = `${bin} cloud auth login`;
  throw new CliError('SP_CLI_INPUT_NEEDED', 'Nobody can answer a login page here: CI is set', {
    flags: ['--token', '--device'],
    next: [`${command} --token - < token.txt`, `${command} --device`],
  });
}

function isContainer(): boolean {
  return existsSync('/.dockerenv') || existsSync('/run/.containerenv');
}
