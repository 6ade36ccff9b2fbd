import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startFakeApi } from './fake-api.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** A tenant as the API tells it. */
export const hello = {
  id: '0b1c6f4e-6d60-4d3c-9a53-0f7c0f5b7d11',
  name: 'hello',
  app_id: 'sp-hello',
  hostname: 'hello-abcd.localhost:7300',
  region: 'iad',
  status: 'active',
  external_db_access: false,
  database_url: 'postgresql://hello:***@db/hello',
};

/** A second one. */
export const second = { ...hello, id: '7a0c1f52-2e55-4c0e-8a56-1d8d2b1c9e22', name: 'second' };

/** What no command may print but the one whose job it is. */
export const planted = 'planted-secret-9f8e7d6c5b4a';

/** A project, logged in to a fake API that knows `tenants` and answers `answers` besides. */
export async function makeWorld(
  answers: Readonly<Record<string, unknown>> = {},
  tenants: readonly object[] = [hello],
): Promise<{
  cwd: string;
  env: Record<string, string>;
  api: Awaited<ReturnType<typeof startFakeApi>>;
}> {
  const me = { user: { id: 'u1', email: 'ada@example.com' }, tenants };
  const api = await startFakeApi({ 'GET /api/v1/auth/me': me, ...answers });
  const cwd = await temporaryFolder();
  await mkdir(join(cwd, '.systemprompt'));
  await mkdir(join(cwd, 'services'));
  return { cwd, env: { SYSTEMPROMPT_API_TOKEN: planted, SYSTEMPROMPT_API_URL: api.url }, api };
}

/** A profile of the project `cwd` for the tenant `hello`. */
export async function makeProfile(cwd: string, name: string): Promise<string> {
  const { createProfile } = await import('@sp/tenants');
  const directory = join(cwd, '.systemprompt/profiles', name);
  const { profilePath } = await createProfile({
    directory,
    name,
    projectRoot: cwd,
    tenant: {
      id: hello.id,
      name: 'hello',
      tenantType: 'cloud',
      externalDbAccess: false,
      databaseUrl: 'postgresql://u:old@db/hello',
      internalDatabaseUrl: 'postgresql://u:old@db/hello',
    },
  });
  await writeFile(join(cwd, '.systemprompt/profiles/.keep'), '');
  return profilePath;
}
