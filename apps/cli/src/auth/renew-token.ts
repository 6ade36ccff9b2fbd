import type { CloudApiClient } from '@sp/cloud-api';
import type { RefreshRequest } from '@sp/credentials';
import type { LoginToken } from '@sp/credentials/login';

/** Exchanges a refresh token for the next pair; `undefined` when the server will never take it again. */
export async function renewToken(
  { refreshToken, apiUrl, signal }: RefreshRequest,
  apiAt: (environment: string) => Promise<CloudApiClient>,
): Promise<LoginToken | undefined> {
  const { isCloudApiError } = await import('@sp/cloud-api');
  const api = await apiAt(apiUrl);
  return await api.auth
    .createToken({ grantType: 'refresh_token', refreshToken }, { signal })
    .catch((error: unknown) => {
      if (isCloudApiError(error) && error.serverCode === 'invalid_grant') return undefined;
      throw error;
    });
}
