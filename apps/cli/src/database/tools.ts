import { delimiter } from 'node:path';
import type { ToolOptions } from '@sp/database';
import type { Context } from '../context.ts';

/** Where the person's own Postgres programs may be: the folders of `PATH`. */
export function toolFolders(env: Readonly<Record<string, string | undefined>>): readonly string[] {
  return (env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
}

/** Where Postgres' programs are taken from: this computer, else Docker. */
export async function toolOptions(context: Context, tools: 'auto' | 'docker'): Promise<ToolOptions> {
  const { env, progress } = context;
  const { createDockerTools } = await import('@sp/local-postgres');
  const elsewhere = createDockerTools({
    name: env['SYSTEMPROMPT_POSTGRES_CONTAINER'],
    image: env['SYSTEMPROMPT_POSTGRES_IMAGE'],
    platform: process.platform,
    preferred: tools === 'docker',
    onFetch: (image) => progress.note(`Docker fetches ${image} for Postgres' own programs`),
  });
  return { toolFolders: toolFolders(env), elsewhere };
}
