import * as z from 'zod/mini';
import type { FailureClass } from '../../ports/failure.ts';
import { MachineError } from '../machine-error.ts';

/** What a request was about, for the error of its failure. */
export interface FlyFacts {
  /** `machine-create`, `volume-list`… */
  readonly action: string;
  readonly appName: string;
  readonly releaseId?: string | undefined;
}

const bodySchema = z.object({
  error: z.nullish(z.string()),
  message: z.nullish(z.string()),
  status: z.nullish(z.string()),
});

/** The error for an answer that is no success. */
export function answerFailure(
  facts: FlyFacts,
  answer: { readonly status: number; readonly text: string; readonly requestId: string | undefined },
): MachineError {
  const { status, text, requestId } = answer;
  const { said, word } = readBody(text);
  const failureClass = classOf(status, { said, word });
  const code = status === 401 ? 'SP_MACHINE_FLY_TOKEN' : 'SP_MACHINE_FLY';
  const reason = status === 401 ? 'it does not accept the token' : said === '' ? `status ${status}` : said;
  return flyError(code, { ...facts, reason, status, requestId, failureClass });
}

/** The error for a request without an answer. */
export function connectionFailure(facts: FlyFacts, error: unknown): MachineError {
  const code = systemCode(error);
  const unsent = code !== undefined && neverSent.includes(code);
  const timedOut = error instanceof Error && error.name === 'TimeoutError';
  const reason = timedOut ? 'no answer in time' : `the connection failed${code === undefined ? '' : ` (${code})`}`;
  return flyError('SP_MACHINE_FLY', { ...facts, reason, failureClass: unsent ? 'transient' : 'ambiguous' });
}

/** An error of this driver with its one line. */
export function flyError(
  code: 'SP_MACHINE_FLY' | 'SP_MACHINE_FLY_TOKEN',
  facts: FlyFacts & {
    readonly reason: string;
    readonly status?: number | undefined;
    readonly requestId?: string | undefined;
    readonly failureClass: FailureClass;
  },
): MachineError {
  const { action, appName, reason, ...others } = facts;
  const message = `Fly.io ${action} failed for ${appName}: ${reason}`;
  return new MachineError(code, { message, step: action, appName, reason, ...others });
}

/** Whether what was asked for may have been done in spite of the error. */
export function mayBeDone(error: unknown): boolean {
  return error instanceof MachineError && (error.failureClass === 'ambiguous' || error.failureClass === 'conflict');
}

const neverSent = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'UND_ERR_CONNECT_TIMEOUT'];

function classOf(status: number, answer: { readonly said: string; readonly word: string }): FailureClass {
  const { said, word } = answer;
  if (word === 'insufficient_capacity' || /insufficient (resources|capacity)/i.test(said)) return 'capacity';
  // The text only where there is no word.
  if (word === 'name_taken' || (word === '' && /name has already been taken/i.test(said))) return 'conflict';
  if (status === 429) return 'transient';
  if (status === 408 || status >= 500) return 'ambiguous';
  if (status === 409 || status === 412) return 'conflict';
  return 'permanent';
}

function readBody(text: string): { readonly said: string; readonly word: string } {
  const parsed = bodySchema.safeParse(parse(text));
  if (!parsed.success) return { said: '', word: '' };
  const { error, message, status } = parsed.data;
  const said = (error ?? message ?? '').split('\n')[0] ?? '';
  return { said: said.slice(0, 300), word: status ?? '' };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** `fetch` hides what the operating system said in a chain of causes, which may branch. */
function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if ('code' in error && typeof error.code === 'string') return error.code;
  const inner = error instanceof AggregateError ? error.errors[0] : error.cause;
  return systemCode(inner);
}
