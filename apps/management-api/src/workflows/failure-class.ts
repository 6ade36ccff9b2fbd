import type { FailureClass } from '../ports/failure.ts';

const classes: readonly string[] = ['transient', 'ambiguous', 'permanent', 'capacity', 'conflict'];

/** Codes of Node's system calls and of the HTTP clients. */
const systemCodes: Readonly<Record<string, FailureClass>> = {
  ECONNREFUSED: 'transient',
  EAI_AGAIN: 'transient',
  ENOTFOUND: 'transient',
  EHOSTUNREACH: 'transient',
  ENETUNREACH: 'transient',
  UND_ERR_CONNECT_TIMEOUT: 'transient',
  ECONNRESET: 'ambiguous',
  ECONNABORTED: 'ambiguous',
  EPIPE: 'ambiguous',
  ETIMEDOUT: 'ambiguous',
  UND_ERR_SOCKET: 'ambiguous',
  UND_ERR_HEADERS_TIMEOUT: 'ambiguous',
  UND_ERR_BODY_TIMEOUT: 'ambiguous',
  EBUSY: 'conflict',
  EEXIST: 'conflict',
  ENOSPC: 'capacity',
  EDQUOT: 'capacity',
  ENOMEM: 'capacity',
  EMFILE: 'capacity',
  ENFILE: 'capacity',
  EACCES: 'permanent',
  EPERM: 'permanent',
  EROFS: 'permanent',
  ERR_INVALID_URL: 'permanent',
  SP_MACHINE_IMAGE: 'permanent',
  SP_MACHINE_SPEC: 'permanent',
  SP_MACHINE_STATE: 'permanent',
};

/** SQLSTATE, whole or its first two characters, the longer first. */
const sqlStates: readonly (readonly [string, FailureClass])[] = [
  ['53300', 'transient'],
  ['53', 'capacity'],
  ['08', 'ambiguous'],
  ['57P', 'ambiguous'],
  ['57', 'transient'],
  ['58', 'ambiguous'],
  ['40', 'conflict'],
  ['55', 'conflict'],
  ['XX', 'ambiguous'],
  ['', 'permanent'],
];

const statuses: Readonly<Record<number, FailureClass>> = {
  408: 'ambiguous',
  409: 'conflict',
  412: 'conflict',
  423: 'conflict',
  425: 'transient',
  429: 'transient',
  503: 'transient',
  507: 'capacity',
};

// Mistakes of a program stay mistakes, however often it runs.
const bugs: readonly (new (...args: never[]) => Error)[] = [TypeError, ReferenceError, RangeError, SyntaxError];

/** What an error means for the call that threw it. The outermost error of the chain of causes that says anything decides. */
export function classifyFailure(error: unknown): FailureClass {
  const known = knownClass(error);
  if (known !== undefined) return known;
  const innermost = causes(error).at(-1);
  return bugs.some((kind) => innermost instanceof kind) ? 'permanent' : 'ambiguous';
}

/** Whether an error says that a provider is away, or not itself, and will be back: what nobody knows is none. */
export function isOutage(error: unknown): boolean {
  const known = knownClass(error);
  return known === 'transient' || known === 'ambiguous';
}

function knownClass(error: unknown): FailureClass | undefined {
  for (const link of causes(error)) {
    const known = own(link) ?? byCode(link) ?? byStatus(link);
    if (known !== undefined) return known;
  }
  return undefined;
}

/** Whether a step that failed so is tried again. */
export function isRetried(failure: FailureClass): boolean {
  return failure === 'transient' || failure === 'ambiguous' || failure === 'conflict';
}

/** The reason in one line, as the tenant's owner may read it. */
export function describeFailure(error: unknown): string {
  const innermost = causes(error).at(-1);
  const message = innermost?.message || codeOf(innermost) || 'unknown failure';
  const line = message.split('\n')[0] ?? message;
  return classifyFailure(error) === 'capacity' ? `there is no room at the provider now: ${line}` : line;
}

function causes(error: unknown): Error[] {
  const found: Error[] = [];
  for (let link = error; link instanceof Error && !found.includes(link); link = link.cause) found.push(link);
  return found;
}

function own(error: Error): FailureClass | undefined {
  const value = 'failureClass' in error ? error.failureClass : undefined;
  return typeof value === 'string' && classes.includes(value) ? (value as FailureClass) : undefined;
}

function byCode(error: Error): FailureClass | undefined {
  const code = codeOf(error);
  if (code === undefined) return undefined;
  if (Object.hasOwn(systemCodes, code)) return systemCodes[code];
  // Only Postgres' own errors have a severity beside the code.
  if (!/^[0-9A-Z]{5}$/.test(code) || !('severity' in error)) return undefined;
  return sqlStates.find(([prefix]) => code.startsWith(prefix))?.[1];
}

function byStatus(error: Error): FailureClass | undefined {
  const status = 'status' in error ? error.status : 'statusCode' in error ? error.statusCode : undefined;
  if (typeof status !== 'number') return undefined;
  return statuses[status] ?? (status >= 500 ? 'ambiguous' : status >= 400 ? 'permanent' : undefined);
}

function codeOf(error: Error | undefined): string | undefined {
  return error !== undefined && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
