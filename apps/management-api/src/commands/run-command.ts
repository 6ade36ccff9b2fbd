import { ConfigurationInvalid } from '../configuration/configuration.ts';
import { isLocalCloudError } from '../local/local-cloud-error.ts';
import { exitCodes } from './exit-codes.ts';
import { OperatorError } from './operator-error.ts';

const exitCodeOf: Readonly<Record<string, number>> = {
  SP_CONFIGURATION_INVALID: exitCodes.usage,
  SP_DATABASE_UNREACHABLE: exitCodes.network,
  SP_LISTEN_FAILED: exitCodes.conflict,
  SP_MACHINES_IN_USE: exitCodes.conflict,
  SP_USER_NOT_FOUND: exitCodes.notFound,
  SP_TENANT_NOT_FOUND: exitCodes.notFound,
  SP_USER_AMBIGUOUS: exitCodes.usage,
  SP_LOCAL_PORT_BUSY: exitCodes.conflict,
  SP_LOCAL_ALREADY_RUNNING: exitCodes.conflict,
};

/** How a command shows what it did. */
export interface Presentation<Result> {
  /** One JSON document on stdout, on success and on failure. */
  readonly json: boolean;
  /** `undefined`: there is nothing to say. */
  toText(result: Result): string | undefined;
  /** @defaultValue 0 for every result */
  exitCode?(result: Result): number;
}

/** Does a command's work, shows its result on stdout or why it failed on stderr, and sets the exit code. */
export async function runCommand<Result>(
  { json, toText, exitCode = () => exitCodes.ok }: Presentation<Result>,
  work: () => Promise<Result>,
): Promise<void> {
  try {
    const result = await work();
    const text = json ? JSON.stringify(result, undefined, 2) : toText(result);
    if (text !== undefined) process.stdout.write(`${text}\n`);
    process.exitCode = exitCode(result);
  } catch (error) {
    const { code, message, ...facts } = describeFailure(error);
    if (json) process.stdout.write(`${JSON.stringify({ error: { code, message, ...facts } }, undefined, 2)}\n`);
    else process.stderr.write(failureText(error, { code, message }));
    process.exitCode = exitCodeOf[code] ?? exitCodes.failed;
  }
}

function failureText(error: unknown, { code, message }: { readonly code: string; readonly message: string }): string {
  if (!(error instanceof ConfigurationInvalid)) return `${code}: ${message}\n`;
  const lines = error.findings.map(({ name, problem }) => `  ${name} ${problem}\n`);
  const count = lines.length === 1 ? 'a problem' : `${lines.length} problems`;
  return `${code}: The configuration has ${count}; \`sp-management-api config\` explains every variable.\n${lines.join('')}`;
}

function describeFailure(error: unknown): {
  readonly code: string;
  readonly message: string;
  readonly findings?: unknown;
} {
  if (error instanceof ConfigurationInvalid) {
    const { code, message, findings } = error;
    return { code, message, findings };
  }
  if (error instanceof OperatorError || isLocalCloudError(error)) return { code: error.code, message: error.message };
  return { code: 'SP_FAILED', message: firstLine(error) };
}

// Errors of the database hold the statement and its values behind the first line, and more of them in their cause.
function firstLine(error: unknown): string {
  const inner = error instanceof Error && error.message.startsWith('Failed query') ? error.cause : error;
  return (inner instanceof Error ? inner.message : String(inner)).split('\n')[0] ?? '';
}
