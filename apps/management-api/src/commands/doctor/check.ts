import { setTimeout as delay } from 'node:timers/promises';
import { reasonOf } from '../open-database.ts';

/** What a check found. */
export interface Finding {
  /** What was looked at. */
  readonly check: string;
  /** `warning`: it runs, but somebody should look. */
  readonly status: 'ok' | 'warning' | 'failed';
  /** One line; no secret. */
  readonly message: string;
}

/** What a check says when nothing was thrown. */
export type Verdict = Omit<Finding, 'check'>;

/** Looks at one thing, and changes nothing. Whatever it throws is a failed check. */
export interface Check {
  readonly name: string;
  run(signal: AbortSignal): Promise<Verdict>;
}

const patienceMs = 15_000;

/** Runs all checks at once, and gives their findings in the order of the checks. */
export async function runChecks(checks: readonly Check[]): Promise<readonly Finding[]> {
  return await Promise.all(checks.map(runCheck));
}

async function runCheck({ name, run }: Check): Promise<Finding> {
  const tooLong = AbortSignal.timeout(patienceMs);
  const ended = new AbortController();
  const late = delay(patienceMs, undefined, { ref: false, signal: ended.signal }).then(() => {
    throw new Error(`no answer in ${patienceMs / 1000} seconds`);
  });
  late.catch(() => {});
  try {
    return { check: name, ...(await Promise.race([run(tooLong), late])) };
  } catch (error) {
    return { check: name, status: 'failed', message: reasonOf(error) };
  } finally {
    ended.abort();
  }
}

/** It is as it should be. */
export const ok = (message: string): Verdict => ({ status: 'ok', message });

/** It runs, but somebody should look. */
export const warning = (message: string): Verdict => ({ status: 'warning', message });

/** It does not work. */
export const failed = (message: string): Verdict => ({ status: 'failed', message });
