import { CliError } from '../cli-error.ts';

const units = { s: 1, m: 60, h: 3600, d: 86_400 } as const;

/**
 * The time that `--since` means, as RFC 3339: `30s`, `10m`, `2h` or `3d` ago, or a time.
 *
 * @throws {CliError} `SP_CLI_USAGE`
 */
export function parseSince(text: string, now: Date): string {
  const [, amount, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  if (amount !== undefined && unit !== undefined) {
    return new Date(now.getTime() - Number(amount) * units[unit as keyof typeof units] * 1000).toISOString();
  }
  const time = Date.parse(text);
  if (Number.isNaN(time)) {
    throw new CliError('SP_CLI_USAGE', `--since ${JSON.stringify(text)} is neither like 10m or 2h nor a time`);
  }
  return new Date(time).toISOString();
}
