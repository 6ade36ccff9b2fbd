import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ProjectContext } from '@sp/paths';
import type { StoredTenant } from '@sp/tenants';
import type { Context } from '../context.ts';
import { shellWord } from '../shell-words.ts';
import type { PostgresKind } from './postgres-of.ts';

/** A local tenant whose making has begun: enough to go on, or to find what there is of it. No secret. */
export interface UnfinishedTenant {
  readonly id: string;
  readonly name: string;
  readonly profileName: string;
  readonly database: PostgresKind;
  /** Of the database that is made for it; absent on a Postgres of the person's own. */
  readonly databaseName?: string | undefined;
}

/** The unfinished tenants, while no other process of this project makes or deletes one. */
export interface UnfinishedTenants {
  find(idOrName: string): UnfinishedTenant | undefined;
  /** Written before anything is made: what is killed afterwards leaves nothing that nobody knows of. */
  keep(tenant: UnfinishedTenant): Promise<void>;
  forget(id: string): Promise<void>;
}

/** The local tenants whose making was broken off, or goes on in another process. */
export async function listUnfinished(project: ProjectContext): Promise<readonly UnfinishedTenant[]> {
  const { readPrivateFile } = await import('@sp/private-file');
  return await withoutFinished(project, parse(await readPrivateFile(unfinishedPath(project))));
}

/** The one of this id, or of this name when the project has no other tenant of that name. */
export async function findUnfinished(
  project: ProjectContext,
  idOrName: string | undefined,
): Promise<UnfinishedTenant | undefined> {
  const unfinished = idOrName === undefined ? [] : await listUnfinished(project);
  if (unfinished.length === 0) return undefined;
  const taken = (await loadFinished(project)).some(({ name }) => name === idOrName);
  return unfinished.find(({ id, name }) => id === idOrName || (!taken && name === idOrName));
}

/** Does `work` with nobody else at it. A process that was killed at it is waited for: ten seconds at most. */
export async function changeUnfinished<T>(
  context: Context,
  work: (unfinished: UnfinishedTenants) => Promise<T>,
): Promise<T> {
  const { progress, signal } = context;
  const project = context.requireProject();
  const { replacePrivateFile, updatePrivateFile } = await import('@sp/private-file');
  const path = unfinishedPath(project);
  const results: T[] = [];
  const told = setTimeout(() => progress.note('Waiting for another process that makes a tenant in this project'), 2000);
  try {
    await updatePrivateFile(
      path,
      async (text) => {
        clearTimeout(told);
        let tenants = await withoutFinished(project, parse(text));
        const write = async (changed: readonly UnfinishedTenant[]): Promise<void> => {
          tenants = changed;
          if (tenants.length > 0) await replacePrivateFile(path, format(tenants));
          else await rm(path, { force: true });
        };
        const without = (id: string): readonly UnfinishedTenant[] => tenants.filter((each) => each.id !== id);
        results.push(
          await work({
            find: (idOrName) => tenants.find(({ id, name }) => id === idOrName || name === idOrName),
            keep: (tenant) => write([...without(tenant.id), tenant]),
            forget: (id) => write(without(id)),
          }),
        );
        return undefined;
      },
      // Another one may have to fetch an image first.
      { lockTimeoutMs: 600_000, signal },
    );
  } finally {
    clearTimeout(told);
  }
  return results[0] as T;
}

/** Command lines that end it, one way or the other. */
export function finishCommands({ name, profileName, database }: UnfinishedTenant): readonly string[] {
  const word = shellWord(name);
  const profile = profileName === name ? '' : ` --profile ${shellWord(profileName)}`;
  const from = database === 'external' ? ' --database-url-stdin <url.txt' : ` --database ${database}`;
  return [
    `systemprompt cloud tenant create --type local --name ${word}${profile}${from}`,
    `systemprompt cloud tenant delete ${word} --confirm ${word}`,
  ];
}

/** What was killed after the last step is in the store already. */
async function withoutFinished(
  project: ProjectContext,
  unfinished: readonly UnfinishedTenant[],
): Promise<readonly UnfinishedTenant[]> {
  if (unfinished.length === 0) return unfinished;
  const finished = await loadFinished(project);
  return unfinished.filter(({ id }) => finished.every((tenant) => tenant.id !== id));
}

// A store that nobody can read is for those to refuse who need it.
async function loadFinished(project: ProjectContext): Promise<readonly StoredTenant[]> {
  const { loadTenants } = await import('@sp/tenants');
  return (await loadTenants(project.localTenants).catch(() => undefined))?.tenants ?? [];
}

function parse(text: string | undefined): readonly UnfinishedTenant[] {
  try {
    const { tenants } = JSON.parse(text ?? '{}') as { readonly tenants?: unknown };
    return Array.isArray(tenants) ? (tenants as unknown[]).flatMap(parseOne) : [];
  } catch {
    // Nobody writes it by hand, and it must not stand in the way of the next tenant.
    return [];
  }
}

function parseOne(stored: unknown): readonly UnfinishedTenant[] {
  if (typeof stored !== 'object' || stored === null) return [];
  const { id, name, profile, database, database_name: databaseName } = stored as Record<string, unknown>;
  if (typeof id !== 'string' || typeof name !== 'string' || typeof profile !== 'string') return [];
  if (database === 'external') return [{ id, name, profileName: profile, database }];
  if ((database !== 'docker' && database !== 'embedded') || typeof databaseName !== 'string') return [];
  return [{ id, name, profileName: profile, database, databaseName }];
}

function format(tenants: readonly UnfinishedTenant[]): string {
  const stored = tenants.map(({ id, name, profileName, database, databaseName }) => ({
    id,
    name,
    profile: profileName,
    database,
    database_name: databaseName,
  }));
  return `${JSON.stringify({ tenants: stored }, undefined, 2)}\n`;
}

function unfinishedPath(project: ProjectContext): string {
  return join(dirname(project.localTenants), 'unfinished_tenants.json');
}
