import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ProjectContext } from '@sp/paths';
import { CliError } from '../cli-error.ts';

/** A checkout under way: enough to take it up after a crash. No secret. */
export interface OpenCheckout {
  readonly sessionId: string;
  /** Name of the tenant that is bought. */
  readonly name: string;
  readonly profileName: string;
}

/** Keeps it at once, beside those that are there: the caller is about to open the page where the person pays. */
export function saveCheckoutSync(project: ProjectContext, checkout: OpenCheckout): void {
  const others = listCheckouts(project).filter(({ sessionId }) => sessionId !== checkout.sessionId);
  writeCheckouts(project, [checkout, ...others]);
}

/**
 * The checkout to take up: `last` is the one of this project, anything else a session's id.
 *
 * @throws {CliError} `SP_CLI_CHECKOUT_NOT_FOUND`, `SP_CLI_INPUT_NEEDED` without a name for the profile
 */
export async function findCheckout(
  project: ProjectContext,
  flags: {
    readonly resume?: string | undefined;
    readonly name?: string | undefined;
    readonly profile?: string | undefined;
  },
): Promise<OpenCheckout> {
  const { resume = 'last' } = flags;
  const known = listCheckouts(project).find(({ sessionId }) => resume === 'last' || resume === sessionId);
  if (known !== undefined) {
    return { ...known, profileName: flags.profile ?? known.profileName };
  }
  if (resume === 'last') {
    throw new CliError('SP_CLI_CHECKOUT_NOT_FOUND', 'This project has no checkout to take up', {
      directory: project.root,
    });
  }
  const profileName = flags.profile ?? flags.name;
  if (profileName !== undefined) return { sessionId: resume, name: profileName, profileName };
  throw new CliError('SP_CLI_INPUT_NEEDED', `This project does not know the checkout ${resume}`, {
    flags: ['--profile'],
    next: [`systemprompt cloud tenant create --resume ${resume} --profile hello`],
  });
}

/** Forgets one, and no other: its tenant is in the store now, or nothing was bought. */
export function deleteCheckout(project: ProjectContext, sessionId: string): void {
  const known = listCheckouts(project);
  const others = known.filter((checkout) => checkout.sessionId !== sessionId);
  if (others.length < known.length) writeCheckouts(project, others);
}

/** The checkouts of this project that nobody has seen the end of, the last one first. */
export function listCheckouts(project: ProjectContext): readonly OpenCheckout[] {
  try {
    const stored = JSON.parse(readFileSync(checkoutPath(project), 'utf8')) as { readonly earlier?: unknown };
    const { earlier } = stored;
    return [stored, ...(Array.isArray(earlier) ? (earlier as unknown[]) : [])].flatMap((one) => parseCheckout(one));
  } catch {
    return [];
  }
}

function parseCheckout(stored: unknown): readonly OpenCheckout[] {
  if (typeof stored !== 'object' || stored === null) return [];
  const { checkout_session_id: sessionId, name, profile } = stored as Record<string, unknown>;
  if (typeof sessionId !== 'string' || typeof name !== 'string' || typeof profile !== 'string') return [];
  return [{ sessionId, name, profileName: profile }];
}

function writeCheckouts(project: ProjectContext, checkouts: readonly OpenCheckout[]): void {
  const path = checkoutPath(project);
  const [last, ...earlier] = checkouts.map(({ sessionId, name, profileName }) => ({
    checkout_session_id: sessionId,
    name,
    profile: profileName,
  }));
  if (last === undefined) return rmSync(path, { force: true });
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${process.pid}.tmp`;
  const stored = earlier.length === 0 ? last : { ...last, earlier };
  writeFileSync(draft, `${JSON.stringify(stored, undefined, 2)}\n`, { mode: 0o600 });
  renameSync(draft, path);
}

function checkoutPath(project: ProjectContext): string {
  return join(dirname(project.localCredentials), 'checkout.json');
}
