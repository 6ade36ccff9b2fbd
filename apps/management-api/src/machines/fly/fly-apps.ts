import { MachineError } from '../machine-error.ts';
import { appUrl, type FlyContext, type FlyScope } from './fly-context.ts';
import { flyError } from './fly-failure.ts';
import { anything, appSchema, appsSchema } from './fly-wire.ts';
import { makeOnce, waitUntil } from './make-once.ts';

/** Makes the app, in a private network of its own, unless it is there. */
export async function ensureApp(context: FlyContext, scope: FlyScope): Promise<void> {
  const { api, machinesUrl, organization } = context;
  const { appName, signal } = scope;
  if (await findApp(context, scope)) return;
  const make = async (): Promise<true> => {
    const body = { app_name: appName, org_slug: organization, network: appName };
    const url = `${machinesUrl}/apps`;
    const facts = { action: 'app-create', appName, method: 'POST', url, answer: anything } as const;
    await api.call({ ...facts, query: { wait: 'true' }, body, signal });
    return true;
  };
  // The token may not see yet what was made with it.
  const find = async (): Promise<true | undefined> =>
    (await findApp(context, { ...scope, isNew: true })) ? true : undefined;
  await makeOnce({ find, make, settleMs: api.settleMs, signal });
  // What is in it is asked for next, and must be found.
  const url = appUrl(context, appName);
  await api.call({ action: 'app-get', appName, method: 'GET', url, answer: appSchema, missing: 'soon', signal });
}

/** The organization's apps that are alone in a network of their own name: so are all that {@link ensureApp} makes. */
export async function listApps(
  { api, machinesUrl, organization }: FlyContext,
  { signal }: { readonly signal?: AbortSignal | undefined },
): Promise<readonly string[]> {
  const answer = await api.call({
    action: 'app-list',
    appName: 'all apps',
    method: 'GET',
    url: `${machinesUrl}/apps`,
    query: { org_slug: organization },
    identifier: organization,
    answer: appsSchema,
    signal,
  });
  const ours = (answer.apps ?? []).filter(({ name, network }) => network === name);
  return ours.map(({ name }) => name).sort();
}

/** Removes the app with everything in it, and waits until it is gone. */
export async function removeApp(context: FlyContext, scope: FlyScope): Promise<void> {
  const { api } = context;
  const { appName, signal } = scope;
  const url = appUrl(context, appName);
  const query = { force: 'true' };
  await api.call({
    action: 'app-delete',
    appName,
    method: 'DELETE',
    url,
    query,
    answer: anything,
    identifier: context.organization,
    missing: 'absent',
    signal,
  });
  const gone = async (): Promise<true | undefined> => ((await findApp(context, scope)) ? undefined : true);
  if (await waitUntil(gone, { settleMs: api.settleMs, signal })) return;
  const facts = { action: 'app-delete', appName, reason: 'it is still there', failureClass: 'ambiguous' } as const;
  throw flyError('SP_MACHINE_FLY', facts);
}

async function findApp(context: FlyContext, scope: FlyScope & { readonly isNew?: boolean }): Promise<boolean> {
  const { appName, isNew = false, signal } = scope;
  const url = appUrl(context, appName);
  const call = { action: 'app-get', appName, method: 'GET', url, answer: appSchema, signal } as const;
  try {
    return (await context.api.call({ ...call, missing: 'absent' })) !== undefined;
  } catch (error) {
    if (isNew && error instanceof MachineError && error.status === 401) return false;
    if (!(error instanceof MachineError) || error.status !== 403) throw error;
    // Names of apps are one for the whole world.
    const reason = 'the name belongs to another organization';
    throw flyError('SP_MACHINE_FLY', { action: 'app-get', appName, reason, status: 403, failureClass: 'permanent' });
  }
}
