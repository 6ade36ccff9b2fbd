import type { CloudApiClient } from '@sp/cloud-api';
import type { DevicePollResult, LoginToken } from '@sp/credentials/login';
import { cyan } from 'ansis';
import type { Context } from '../context.ts';

/** Logs in with a code that the person types in a browser anywhere. */
export async function logInByDevice(context: Context, api: CloudApiClient): Promise<LoginToken> {
  const { signal } = context;
  const { runDeviceFlow } = await import('@sp/credentials/login');
  return runDeviceFlow({
    start: () => api.auth.createDeviceLogin({ scope: 'offline_access' }, { signal }),
    poll: ({ deviceCode }) => poll(api, deviceCode, signal),
    onCode: ({ userCode, verificationUri, verificationUriComplete: complete, expiresIn }) => {
      context.emit({ type: 'visit', url: complete ?? verificationUri, code: userCode });
      context.notice(`Visit ${cyan(verificationUri)} on any computer or phone, and type the code ${cyan(userCode)}`);
      if (complete !== undefined) context.notice(`or visit ${cyan(complete)}`);
      context.progress.note(`Waiting up to ${Math.round(expiresIn / 60)} min for your answer there …`);
    },
    signal,
  });
}

async function poll(api: CloudApiClient, deviceCode: string, signal: AbortSignal): Promise<DevicePollResult> {
  const grantType = 'urn:ietf:params:oauth:grant-type:device_code';
  const { isCloudApiError } = await import('@sp/cloud-api');
  return await api.auth.createToken({ grantType, deviceCode }, { signal }).catch((error: unknown): DevicePollResult => {
    if (!isCloudApiError(error)) throw error;
    const { serverCode, retryable } = error;
    const answers = ['authorization_pending', 'slow_down', 'access_denied', 'expired_token'] as const;
    const answer = answers.find((known) => known === serverCode);
    if (answer === undefined && !retryable) throw error;
    return answer ?? 'unavailable';
  });
}
