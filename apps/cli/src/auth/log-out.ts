import type { CloudCredentials } from '@sp/credentials';
import type { Context } from '../context.ts';

/** Longest time that the goodbye to the API may take, in milliseconds: the file is deleted in any case. */
const patienceMs = 5000;

/** Ends the login that is kept, on the server too if that answers; says whether it did. */
export async function endLogin(context: Context): Promise<boolean> {
  const { isCredentialsError, loadCredentials } = await import('@sp/credentials');
  const { isCloudApiError } = await import('@sp/cloud-api');
  const alive = 'the login goes on there until it expires';
  try {
    const stored = await loadCredentials(context.project.localCredentials);
    if (stored === undefined) return false;
    await revoke(context, stored);
    return true;
  } catch (error) {
    if (!isCredentialsError(error) && !isCloudApiError(error)) throw error;
    if (context.signal.aborted) throw error;
    context.warn(`The API was not told of the logout, ${alive}: ${error.message}`);
    return false;
  }
}

async function revoke(context: Context, stored: CloudCredentials): Promise<void> {
  const { apiToken, apiUrl, refreshToken, userEmail } = stored;
  const api = await context.apiAt(apiUrl, apiToken);
  const signal = AbortSignal.any([context.signal, AbortSignal.timeout(patienceMs)]);
  const activity = { event: 'cloud_logout', timestamp: new Date().toISOString(), data: { userId: userEmail } } as const;
  // A record for the owner of the API, which takes no time from what matters; the token may also have expired.
  const told = api.activity.report(activity, { signal }).catch(() => undefined);
  await Promise.all([api.auth.revokeToken({ token: refreshToken ?? apiToken }, { signal }), told]);
}
