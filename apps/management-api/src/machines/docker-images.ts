import * as z from 'zod/mini';
import { publicRepository } from '../images/tenant-repository.ts';
import type { RunDocker } from './docker-command.ts';

/** Local names by which an app's images are found again; nothing is ever pushed or pulled by them. */
const localRepository = (appName: string): string => `systemprompt-machines/${appName}`;

const imageSchema = z.object({
  id: z.string(),
  tags: z.nullish(z.array(z.string())),
  digests: z.nullish(z.array(z.string())),
});

/**
 * Notes that an app runs an image now. The image of before stays for a way back; the one before that is removed, unless
 * another app or a container needs it.
 */
export async function keepNewestImages(
  run: RunDocker,
  { appName, image }: { readonly appName: string; readonly image: string },
): Promise<void> {
  const [currentName, previousName] = namesOf(appName);
  const [wanted, current, previous] = [
    await findImage(run, image),
    await findImage(run, currentName),
    await findImage(run, previousName),
  ];
  if (wanted === undefined || wanted.id === current?.id) return;
  if (current !== undefined) await run(['tag', current.id, previousName]);
  await run(['tag', wanted.id, currentName]);
  if (previous !== undefined) await removeUnused(run, previous.id);
}

/** Removes an app's images, unless another app or a container needs them. */
export async function removeImages(run: RunDocker, appName: string): Promise<void> {
  for (const name of namesOf(appName)) {
    const image = await findImage(run, name);
    if (image === undefined) continue;
    // Only the name, as long as there are others.
    await run(['image', 'rm', name]);
    await removeUnused(run, image.id);
  }
}

function namesOf(appName: string): readonly [current: string, previous: string] {
  return [`${localRepository(appName)}:current`, `${localRepository(appName)}:previous`];
}

/**
 * Removes an image that is no app's current or previous one. Without force: the engine refuses to remove what a container
 * uses, running or not.
 */
export async function removeUnused(run: RunDocker, id: string): Promise<void> {
  const image = await findImage(run, id);
  if (image === undefined || (image.tags ?? []).length > 0) return;
  const pulled = (image.digests ?? []).filter((name) => name.includes(`/${publicRepository}@`));
  for (const name of pulled) await run(['image', 'rm', name]);
}

async function findImage(run: RunDocker, name: string): Promise<z.infer<typeof imageSchema> | undefined> {
  const format = '{"id":{{json .Id}},"tags":{{json .RepoTags}},"digests":{{json .RepoDigests}}}';
  const { exitCode, stdout } = await run(['image', 'inspect', '--format', format, name]);
  return exitCode === 0 ? imageSchema.parse(JSON.parse(stdout)) : undefined;
}
