import { cyan, dim, red } from 'ansis';
import { type Advice, type AnyErrorCode, advice } from './advice.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { proxyFor } from './network/proxy-for.ts';
import type { ErrorDescription } from './output/json-documents.ts';
import { plainLine, plainText } from './output/plain-line.ts';
import { toSnakeCase } from './output/snake-case.ts';

/** An error as people and programs get to see it. */
export interface DescribedError {
  readonly code: string;
  readonly message: string;
  readonly suggestions: readonly string[];
  readonly exitCode: ExitCode;
  /** Facts of the allow-list, by their name in the error. */
  readonly facts: Readonly<Record<string, unknown>>;
  /** The document for `--json`. */
  readonly json: { readonly error: object };
  /** Only for a defect of this program, and only with `DEBUG`. */
  readonly stack?: string | undefined;
}

/** What leaves the program of an error besides its code and message. Anything else on it may hold a secret. */
const publicFacts = [
  'status',
  'serverCode',
  'requestId',
  'retryable',
  'systemCode',
  'path',
  'directory',
  'reason',
  'port',
  'seconds',
  'step',
  'exitCode',
  'lastLines',
  'findings',
  'flags',
  'next',
  'available',
  'tenantId',
  'checkoutSessionId',
  'matches',
  'operationId',
  'release',
  'servingRelease',
  'names',
  'startedBy',
  'startedAt',
  'paths',
  'address',
  'sqlState',
  'position',
  'tool',
  'neededVersion',
  'foundVersion',
  'differences',
  'container',
] as const satisfies readonly Exclude<keyof ErrorDescription, 'code' | 'message' | 'suggestions' | 'actionRequired'>[];

/** Looks up what an error means for the person: advice and exit code. Never throws. */
export function describeError(
  error: unknown,
  { env }: { env: Readonly<Record<string, string | undefined>> },
): DescribedError {
  const { code, message } = identify(error);
  const { exitCode, suggestions: known } = adviceFor(error, code);
  const suggestions = [...proxyAdvice(code, message, env), ...known];
  const facts = pickFacts(error, code);
  const stack = code === 'SP_CLI_BUG' && env['DEBUG'] && error instanceof Error ? error.stack : undefined;
  const actionRequired = exitCode === exitCodes.inputNeeded ? { action_required: true as const } : {};
  const json = { error: { code, message, suggestions, ...actionRequired, ...(toSnakeCase(facts) as object) } };
  return { code, message, suggestions, exitCode, facts, json, stack };
}

/** The same with `complete` applied to every command line that goes on from it. */
export function completeError(error: DescribedError, complete: (text: string) => string): DescribedError {
  const { next } = error.facts;
  const lines = Array.isArray(next) ? { next: next.map((line) => complete(String(line))) } : {};
  const suggestions = error.suggestions.map((line) => complete(line));
  const json = { error: { ...error.json.error, suggestions, ...lines } };
  return { ...error, suggestions, facts: { ...error.facts, ...lines }, json };
}

/** The text for a terminal: what went wrong, how to go on, and what to quote to support. */
export function renderError(error: DescribedError): string {
  const { findings, lastLines, next, requestId, available } = error.facts;
  const lines = [
    `${red('✗')} ${plainText(error.message)}`,
    ...(Array.isArray(findings) ? findings.map((finding) => `    ${plainLine(renderFinding(finding))}`) : []),
    ...(Array.isArray(lastLines) ? lastLines.map((line) => dim(`    ${plainLine(String(line))}`)) : []),
    ...(Array.isArray(available) && available.length > 0 ? [`  There is: ${shorten(available)}`] : []),
    ...error.suggestions.map((suggestion) => `  ${plainLine(suggestion)}`),
    ...(Array.isArray(next) ? next.map((command) => `  ${cyan('$')} ${plainLine(String(command))}`) : []),
    dim(`  ${error.code}${typeof requestId === 'string' ? ` · request ${plainLine(requestId)}` : ''}`),
    ...(error.stack === undefined ? [] : [error.stack]),
  ];
  return `${lines.join('\n')}\n`;
}

function shorten(names: readonly unknown[]): string {
  const shown = names.slice(0, 10).map((name) => plainLine(String(name)));
  return [...shown, ...(names.length > shown.length ? [`${names.length - shown.length} more`] : [])].join(', ');
}

function renderFinding(finding: unknown): string {
  if (typeof finding !== 'object' || finding === null) return String(finding);
  return Object.values(finding).join(': ');
}

/** A step that failed because the API refused is as the refusal is: no login stays no login in the middle of a deploy. */
function adviceFor(error: unknown, code: AnyErrorCode): Advice {
  const serving = property(error, 'servingRelease');
  if (code === 'SP_DEPLOY_UNHEALTHY' && typeof serving === 'number') {
    return { exitCode: exitCodes.rolledBack, suggestions: [`Release ${serving} goes on.`] };
  }
  if (code === 'SP_CLI_SYSTEM' && property(error, 'code') === 'ENOENT' && property(error, 'syscall') === 'open') {
    return {
      exitCode: exitCodes.notFound,
      suggestions: ['Look at the path; it is taken from the folder that you are in.'],
    };
  }
  if (code === 'SP_DEPLOY_TENANT_NOT_READY') return adviceForState(property(error, 'status')) ?? advice[code];
  const available = property(error, 'available');
  if (code === 'SP_CLI_PROFILE_NOT_FOUND' && Array.isArray(available) && available.length === 0) {
    return { ...advice[code], suggestions: ['Make one: systemprompt cloud tenant create'] };
  }
  const cause = apiCause(error);
  if (property(cause?.facts ?? error, 'serverCode') === 'release_not_available') return releaseNotAvailable;
  if (cause === undefined || advice[code].exitCode !== exitCodes.failed) return advice[code];
  const { exitCode, suggestions } = advice[cause.code];
  return { exitCode, suggestions: [...suggestions, ...advice[code].suggestions] };
}

/** It never becomes available again, so nothing is to be waited for. */
const releaseNotAvailable: Advice = {
  exitCode: exitCodes.notFound,
  suggestions: [
    'Choose one that is not shown as image_removed: systemprompt cloud releases',
    'Or deploy anew: systemprompt cloud deploy',
  ],
};

/** What is not on its way to anything: a script that waits for it would wait for ever. */
function adviceForState(state: unknown): Advice | undefined {
  const exitCode = exitCodes.conflict;
  switch (state) {
    case 'suspended':
      return {
        exitCode,
        suggestions: ['It is not paid for, or was cancelled. Look at that: systemprompt cloud tenant billing'],
      };
    case 'provision_failed':
      return { exitCode, suggestions: ['Go on with making it: systemprompt cloud tenant retry'] };
    case 'deleting':
    case 'deleted':
      return { exitCode, suggestions: ['Nothing brings it back. See what is yours: systemprompt cloud tenant list'] };
    default:
      return undefined;
  }
}

/** Who failed may be the proxy on the way, which the library that asked knows nothing of. */
function proxyAdvice(
  code: AnyErrorCode,
  message: string,
  env: Readonly<Record<string, string | undefined>>,
): readonly string[] {
  if (code !== 'SP_API_NETWORK' && code !== 'SP_API_TIMEOUT') return [];
  const origin = /https?:\/\/[^\s/]+/.exec(message)?.[0];
  if (origin === undefined || !URL.canParse(origin)) return [];
  try {
    const proxy = proxyFor(new URL(origin), env);
    return proxy === undefined ? [] : [`The way there is the proxy ${proxy.host}: see whether that one answers.`];
  } catch {
    // No URL: that is an error of its own before anything is asked.
    return [];
  }
}

/** Told by its code: importing the API client to ask it would slow down every command that needs none. */
function apiCause(error: unknown): { code: AnyErrorCode; facts: unknown } | undefined {
  const cause = property(error, 'cause');
  const code = property(cause, 'code');
  if (typeof code !== 'string' || !code.startsWith('SP_API_') || !Object.hasOwn(advice, code)) return undefined;
  return { code: code as AnyErrorCode, facts: cause };
}

function identify(error: unknown): { code: AnyErrorCode; message: string } {
  const message = error instanceof Error ? error.message : String(error);
  const code = property(error, 'code');
  if (typeof code === 'string' && Object.hasOwn(advice, code)) return { code: code as AnyErrorCode, message };
  if (error instanceof Error && error.name === 'AbortError')
    return { code: 'SP_CLI_INTERRUPTED', message: 'Interrupted' };
  const exit = property(property(error, 'oclif'), 'exit');
  if (exit === 2)
    return {
      code: 'SP_CLI_USAGE',
      message: message.replace(/\nSee more help with --help$/, '').replace(/^Parsing (--\S+) ?\s*\n\t/, '$1: '),
    };
  if (typeof code === 'string' && typeof property(error, 'syscall') === 'string') {
    const path = property(error, 'path');
    const where = typeof path === 'string' ? ` ${path}` : '';
    return { code: 'SP_CLI_SYSTEM', message: `Cannot ${String(property(error, 'syscall'))}${where}: ${code}` };
  }
  return { code: 'SP_CLI_BUG', message: `Unexpected error: ${message}` };
}

function pickFacts(error: unknown, code: AnyErrorCode): Record<string, unknown> {
  // The fields of an unknown error are unknown too.
  if (code === 'SP_CLI_BUG' || code === 'SP_CLI_USAGE') return {};
  const cause = apiCause(error)?.facts;
  const known = (name: string): unknown => property(error, name) ?? property(cause, name);
  const facts = publicFacts.map((name) => [name, known(name)] as const);
  const system = code === 'SP_CLI_SYSTEM' ? { systemCode: property(error, 'code') } : {};
  return { ...Object.fromEntries(facts.filter(([, value]) => value !== undefined && value !== false)), ...system };
}

function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}
