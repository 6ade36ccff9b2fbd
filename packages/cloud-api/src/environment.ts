import { CloudApiError } from './errors.ts';
import { parseUrl } from './parse-url.ts';

/** Where the Management API is: a name, or the URL of any other one. `local` is the default address of a local cloud. */
export type Environment = 'production' | 'sandbox' | 'local' | (string & {});

const urls: Readonly<Record<string, string>> = {
  production: 'https://api.systemprompt.io',
  sandbox: 'https://api-sandbox.systemprompt.io',
  local: 'http://127.0.0.1:7300',
};

/**
 * The base URL of an environment, without a trailing slash.
 *
 * @throws {CloudApiError} `SP_API_INVALID_REQUEST` when it is neither a name nor an http(s) URL.
 */
export function resolveEnvironment(environment: Environment): string {
  const text = Object.hasOwn(urls, environment) ? (urls[environment] as string) : environment;
  const url = parseUrl(text);
  // Nothing of a password is repeated.
  const secret = url !== undefined && url.username + url.password !== '';
  if (url === undefined || !/^https?:$/.test(url.protocol) || secret || url.search !== '' || url.hash !== '') {
    throw new CloudApiError({
      code: 'SP_API_INVALID_REQUEST',
      message: `\`environment\` must be production, sandbox, local or an http(s) URL, got ${secret ? 'one with a user or a password' : JSON.stringify(environment)}`,
    });
  }
  return url.href.replace(/\/+$/, '');
}
