import type { CloudApiClient, TenantInfo } from '@sp/cloud-api';
import type { Context } from '../context.ts';
import { describeError } from '../describe-error.ts';
import { createHttpFetch } from '../http-fetch.ts';
import { count } from '../output/count.ts';
import { listProjectProfiles } from '../profile-listing.ts';
import { shellWord } from '../shell-words.ts';
import type { Finding } from './finding.ts';
import { checkTenant } from './tenant.ts';

/** Who is logged in, and whether the API, its clock and the registry answer. */
export async function checkCloud(context: Context): Promise<readonly Finding[]> {
  const { signal } = context;
  const found = await context.credentials().catch((error: unknown) => error);
  const reason = describeFailure(context, found);
  if (reason !== undefined) return [{ check: 'credentials', status: 'problem', ...reason }];
  const { credentials } = found as Awaited<ReturnType<Context['credentials']>>;
  const api = await context.api();
  const me = await api.user.get({ signal }).catch((error: unknown) => error);
  const refusal = describeFailure(context, me);
  if (refusal !== undefined) return [{ check: 'api', status: 'problem', ...refusal }];
  const { user, tenants } = me as Awaited<ReturnType<CloudApiClient['user']['get']>>;
  return [
    { check: 'credentials', status: 'ok', message: `Logged in as ${user.email}` },
    { check: 'api', status: 'ok', message: `${credentials.apiUrl} answers, ${count(tenants.length, 'tenant')}` },
    ...(await foreignProfiles(context, { tenants, account: user.email })),
    ...(await checkClock(context, credentials.apiUrl)),
    ...(tenants[0] === undefined ? [] : await checkRegistry(context, { api, id: tenants[0].id })),
    ...(
      await Promise.all((await ofProject(context, tenants)).map((tenant) => checkTenant(context, { api, tenant })))
    ).flat(),
  ];
}

/** Profiles whose tenant was deleted, or is another account's: nothing that they are for can work. */
async function foreignProfiles(
  context: Context,
  { tenants, account }: { tenants: readonly TenantInfo[]; account: string },
): Promise<readonly Finding[]> {
  if (!context.project.exists('root')) return [];
  const profiles = await listProjectProfiles(context, context.project);
  return profiles.flatMap(({ name, target, tenantId }): readonly Finding[] => {
    if (tenantId === undefined || target === 'local' || tenants.some(({ id }) => id === tenantId)) return [];
    const message = `The profile ${name} is of the tenant ${tenantId}, which ${account} does not have: it was deleted, or is another account's`;
    const fix = `systemprompt cloud auth login, or systemprompt cloud profile delete ${shellWord(name)}`;
    return [{ check: 'tenant', status: 'problem', message, fix }];
  });
}

/** The tenants that this project deploys to; the only one there is, where it has no profile. */
async function ofProject(context: Context, tenants: readonly TenantInfo[]): Promise<readonly TenantInfo[]> {
  if (!context.project.exists('root')) return [];
  const profiles = await listProjectProfiles(context, context.project);
  const own = tenants.filter(({ id }) => profiles.some(({ tenantId }) => tenantId === id));
  return own.length === 0 && tenants.length === 1 ? tenants : own;
}

function describeFailure(context: Context, value: unknown): { message: string; fix: string | undefined } | undefined {
  if (!(value instanceof Error)) return undefined;
  const { message, suggestions } = describeError(value, { env: context.env });
  return { message, fix: suggestions[0] };
}

/** A clock that is wrong by minutes makes good tokens look expired. */
async function checkClock({ signal }: Context, apiUrl: string): Promise<readonly Finding[]> {
  const response = await createHttpFetch()(apiUrl, { signal }).catch(() => undefined);
  const date = Date.parse(response?.headers.get('date') ?? '');
  await response?.text();
  if (Number.isNaN(date)) return [];
  const seconds = Math.round(Math.abs(Date.now() - date) / 1000);
  if (seconds < 60) return [{ check: 'clock', status: 'ok', message: 'The clock is right' }];
  const message = `The clock of this computer is ${seconds} s off that of the API`;
  return [{ check: 'clock', status: 'problem', message, fix: 'Set the clock.' }];
}

async function checkRegistry(
  context: Context,
  { api, id }: { api: CloudApiClient; id: string },
): Promise<readonly Finding[]> {
  const { signal } = context;
  const token = await api.tenants.getRegistryToken(id, { signal }).catch((error: unknown) => error);
  const refusal = describeFailure(context, token);
  if (refusal !== undefined) return [{ check: 'registry', status: 'problem', ...refusal }];
  const { registry } = token as Awaited<ReturnType<CloudApiClient['tenants']['getRegistryToken']>>;
  return [{ check: 'registry', status: 'ok', message: `${registry} gives access` }];
}
