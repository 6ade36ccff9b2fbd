import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createProfile, editSecrets } from '@sp/tenants';
import { hello } from './world.ts';

/** The profile `hello` of the tenant `hello` in the project `cwd`, with these secrets. */
export async function makeProfileIn(cwd: string, secrets: { password: string; anthropic: string }): Promise<void> {
  await mkdir(join(cwd, '.systemprompt'), { recursive: true });
  const databaseUrl = `postgresql://u:${secrets.password}@db/hello`;
  const tenant = {
    id: hello.id,
    name: 'hello',
    tenantType: 'cloud',
    externalDbAccess: false,
    databaseUrl,
    internalDatabaseUrl: databaseUrl,
  } as const;
  const directory = join(cwd, '.systemprompt/profiles/hello');
  const { secretsPath } = await createProfile({ directory, name: 'hello', projectRoot: cwd, tenant });
  await editSecrets(secretsPath, { anthropic: secrets.anthropic });
}
