import { MachineError } from '../machine-error.ts';
import { appUrl, type FlyContext, type FlyScope } from './fly-context.ts';
import { flyError } from './fly-failure.ts';
import { anything, appSchema } from './fly-wire.ts';
import { makeOnce, waitUntil } from './make-once.ts';

/** Makes the app, in a private network of its own, unless it is there. */
export async function ensureApp(context: FlyContext, scope: FlyScope): Promise<void> {
  const { api, machinesUrl, organization } = context;
  const { appName, signal } = scope;
  const find = async (): Promise<true | undefined> => ((await findApp(context, scope)) ? true : undefined);
  const make = async (): Promise<true> => {
    const body = { app_name: appName, org_slug: organization, network: appName };
    const url = `${machinesUrl}/apps`;
    await api.call({ action: 'app-create', appName, method: 'POST', url, body, answer: anything, signal });
    return true;
  };
  if ((await find()) !== undefined) return;
  await makeOnce({ find, make, settleMs: api.settleMs, signal });
  // What is in it is asked for next, and must be found.
  const url = appUrl(context, appName);
  await api.call({ action: 'app-get', appName, method: 'GET', url, answer: appSchema, missing: 'soon', signal });
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

async function findApp(context: FlyContext, { appName, signal }: FlyScope): Promise<boolean> {
  const url = appUrl(context, appName);
  const call = { action: 'app-get', appName, method: 'GET', url, answer: appSchema, signal } as const;
  try {
    return (await context.api.call({ ...call, missing: 'absent' })) !== undefined;
  } catch (error) {
    if (!(error instanceof MachineError) || error.status !== 403) throw error;
    // Names of apps are one for the whole world.
    const reason = 'the name belongs to another organization';
    throw flyError('SP_MACHINE_FLY', { action: 'app-get', appName, reason, status: 403, failureClass: 'permanent' });
  }
}
