import { CliError } from '../cli-error.ts';

/**
 * What `--grep` lets through.
 *
 * @throws {CliError} `SP_CLI_USAGE`
 */
export function parsePattern(text: string | undefined): (message: string) => boolean {
  if (text === undefined) return () => true;
  try {
    const pattern = new RegExp(text, 'u');
    return (message) => pattern.test(message);
  } catch (error) {
    const why = error instanceof Error ? error.message : 'invalid';
    throw new CliError('SP_CLI_USAGE', `--grep is no regular expression: ${why}`);
  }
}
