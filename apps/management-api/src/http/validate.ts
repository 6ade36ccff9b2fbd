import { toWire } from '@sp/cloud-api/contract';
import * as z from 'zod/mini';
import { type ApiFailure, invalidRequest } from './errors.ts';

// Given to each call, not configured: the library's configuration is global to the process.
const english = z.locales.en().localeError;

/** Checks what a client sent against the contract; the failure names the place and the rule, never a value. */
export function validate<T>(schema: z.ZodMiniType<T>, value: unknown, place: 'query' | 'body'): T {
  const result = schema.safeParse(value, { error: english });
  if (result.success) return result.data;
  throw invalid(result.error.issues, place);
}

function invalid(issues: readonly z.core.$ZodIssue[], place: string): ApiFailure {
  const [issue] = issues;
  if (issue === undefined) return invalidRequest(`${place}: is not valid.`);
  const where = [place, ...wirePath(issue.path)].join('.');
  if (issue.code === 'unrecognized_keys') {
    return invalidRequest(`${where}: unknown member ${issue.keys.map(wireName).join(', ')}.`);
  }
  return invalidRequest(`${where}: ${issue.message}.`);
}

/** The path as the client wrote it. Below `secrets` the names are the client's own. */
function wirePath(path: readonly PropertyKey[]): string[] {
  const opaque = path.indexOf('secrets');
  return path.map((member, index) => (opaque !== -1 && index > opaque ? String(member) : wireName(String(member))));
}

function wireName(name: string): string {
  return Object.keys(toWire({ [name]: true }) as Record<string, unknown>)[0] ?? name;
}
