import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

/** Where the local cloud keeps everything when nobody says otherwise. */
export function defaultDataDirectory(env: Readonly<Record<string, string | undefined>>): string {
  return join(xdgDirectory(env, 'XDG_DATA_HOME', '.local/share'), 'systemprompt', 'local');
}

/** Where image layers are kept between deploys. Deleting it costs time only. */
export function imageCacheDirectory(env: Readonly<Record<string, string | undefined>>): string {
  return join(cacheDirectory(env), 'images');
}

/** What this program may forget. */
export function cacheDirectory(env: Readonly<Record<string, string | undefined>>): string {
  return join(xdgDirectory(env, 'XDG_CACHE_HOME', '.cache'), 'systemprompt');
}

/** The XDG rule: an absolute path in the variable, else the default below the home folder. */
function xdgDirectory(env: Readonly<Record<string, string | undefined>>, name: string, fallback: string): string {
  const value = env[name];
  return value !== undefined && isAbsolute(value) ? value : join(env['HOME'] || homedir(), fallback);
}
