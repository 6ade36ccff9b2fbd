import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
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

/** Keeps it at once: the caller is about to open the page where the person pays. */
export function saveCheckoutSync(project: ProjectContext, { sessionId, name, profileName }: OpenCheckout): void {
  const path = checkoutPath(project);
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${process.pid}.tmp`;
  const stored = { checkout_session_id: sessionId, name, profile: profileName };
  writeFileSync(draft, `${JSON.stringify(stored, undefined, 2)}\n`, { mode: 0o600 });
  renameSync(draft, path);
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
  const known = loadCheckout(project);
  if (known !== undefined && (resume === 'last' || resume === known.sessionId)) {
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

/** Forgets it: its tenant is in the store now. */
export async function deleteCheckout(project: ProjectContext): Promise<void> {
  const { deletePrivateFile } = await import('@sp/private-file');
  await deletePrivateFile(checkoutPath(project));
}

function loadCheckout(project: ProjectContext): OpenCheckout | undefined {
  try {
    const text = readFileSync(checkoutPath(project), 'utf8');
    const { checkout_session_id: sessionId, name, profile } = JSON.parse(text) as Record<string, unknown>;
    if (typeof sessionId !== 'string' || typeof name !== 'string' || typeof profile !== 'string') return undefined;
    return { sessionId, name, profileName: profile };
  } catch {
    return undefined;
  }
}

function checkoutPath(project: ProjectContext): string {
  return join(dirname(project.localCredentials), 'checkout.json');
}
