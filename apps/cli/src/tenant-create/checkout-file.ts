import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ProjectContext } from '@sp/paths';
import { CliError } from '../cli-error.ts';
import { shellWord } from '../shell-words.ts';

/** A checkout under way: enough to take it up after a crash. No secret. */
export interface OpenCheckout {
  readonly sessionId: string;
  /** Name of the tenant that is bought. */
  readonly name: string;
  readonly profileName: string;
  /** Whether the database is to be reached from outside; absent: nobody has said it. */
  readonly externalDbAccess?: boolean | undefined;
  /** Origin of the API that it was begun at; absent: of an earlier version, and of whichever API has it. */
  readonly api?: string | undefined;
  /** When it was begun; absent: of an earlier version. */
  readonly begunAt?: Date | undefined;
  /** What a later version may have noted besides, as it is in the file. */
  readonly others?: Readonly<Record<string, unknown>> | undefined;
}

/** Keeps it at once, beside those that are there: the caller is about to open the page where the person pays. */
export function saveCheckoutSync(project: ProjectContext, checkout: OpenCheckout): void {
  const others = listCheckouts(project).filter(({ sessionId }) => sessionId !== checkout.sessionId);
  writeCheckouts(project, [checkout, ...others]);
}

/**
 * The checkout to take up at an API: `last` is the one of this project, anything else a session's id.
 *
 * @throws {CliError} `SP_CLI_CHECKOUT_NOT_FOUND`, `SP_CLI_INPUT_NEEDED` without a name for the profile
 */
export function findCheckout(
  project: ProjectContext,
  flags: {
    readonly resume?: string | undefined;
    readonly name?: string | undefined;
    readonly profile?: string | undefined;
  },
  api: string,
): OpenCheckout {
  const { resume = 'last' } = flags;
  const all = listCheckouts(project);
  const matching = all.filter(({ sessionId }) => resume === 'last' || resume === sessionId);
  const known = matching.find((checkout) => isOf(checkout, api));
  if (known !== undefined) {
    return { ...known, profileName: flags.profile ?? known.profileName };
  }
  const [elsewhere] = matching;
  if (elsewhere !== undefined || resume === 'last') {
    const other = elsewhere === undefined ? '' : ` at ${api}; that of ${elsewhere.name} was begun at ${elsewhere.api}`;
    throw new CliError('SP_CLI_CHECKOUT_NOT_FOUND', `This project has no checkout to take up${other}`, {
      directory: project.root,
    });
  }
  const profileName = flags.profile ?? flags.name;
  if (profileName !== undefined) return { sessionId: resume, name: profileName, profileName };
  throw new CliError('SP_CLI_INPUT_NEEDED', `This project does not know the checkout ${resume}`, {
    flags: ['--profile'],
    next: [`systemprompt cloud tenant create --resume ${shellWord(resume)} --profile hello`],
  });
}

/** Whether a checkout can be taken up at the API of this origin. */
export function isOf(checkout: OpenCheckout, api: string): boolean {
  return checkout.api === undefined || checkout.api === api;
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
  const { checkout_session_id: sessionId, name, profile, external_db_access, api, ...rest } = stored as Stored;
  const { begun_at, earlier: _, ...others } = rest;
  if (typeof sessionId !== 'string' || typeof name !== 'string' || typeof profile !== 'string') return [];
  const begunAt = typeof begun_at === 'string' ? new Date(begun_at) : undefined;
  return [
    {
      sessionId,
      name,
      profileName: profile,
      externalDbAccess: typeof external_db_access === 'boolean' ? external_db_access : undefined,
      api: typeof api === 'string' ? api : undefined,
      begunAt: begunAt === undefined || Number.isNaN(begunAt.getTime()) ? undefined : begunAt,
      others,
    },
  ];
}

interface Stored extends Readonly<Record<string, unknown>> {
  readonly checkout_session_id?: unknown;
  readonly name?: unknown;
  readonly profile?: unknown;
  readonly external_db_access?: unknown;
  readonly api?: unknown;
  readonly begun_at?: unknown;
  readonly earlier?: unknown;
}

function writeCheckouts(project: ProjectContext, checkouts: readonly OpenCheckout[]): void {
  const path = checkoutPath(project);
  const [last, ...earlier] = checkouts.map(
    ({ sessionId, name, profileName, externalDbAccess, api, begunAt, others }) => ({
      ...others,
      checkout_session_id: sessionId,
      name,
      profile: profileName,
      external_db_access: externalDbAccess,
      api,
      begun_at: begunAt?.toISOString(),
    }),
  );
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
