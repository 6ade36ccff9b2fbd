type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The proxy for requests to `url`, as curl and most programs take it from the environment; `undefined`: none. This
 * computer is never reached through one.
 *
 * @throws {TypeError} when it is no URL
 */
export function proxyFor(url: URL, env: Environment): URL | undefined {
  const value = first(env, url.protocol === 'https:' ? 'https_proxy' : 'http_proxy') ?? first(env, 'all_proxy');
  if (value === undefined || isLoopback(url.hostname) || isExcluded(url, first(env, 'no_proxy') ?? ''))
    return undefined;
  // `proxy.example:3128` is meant, not the protocol `proxy.example`.
  return new URL(value.includes('://') ? value : `http://${value}`);
}

/** Whether any request could go through a proxy. */
export function hasProxy(env: Environment): boolean {
  return ['https_proxy', 'http_proxy', 'all_proxy'].some((name) => first(env, name) !== undefined);
}

/** The variable in lower case, else in upper case; empty is as good as none. */
function first(env: Environment, name: string): string | undefined {
  return env[name]?.trim() || env[name.toUpperCase()]?.trim() || undefined;
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname.endsWith('.localhost') || /^127\.|^\[::1\]$/.test(hostname);
}

/** `NO_PROXY`: names with everything below them, with or without a port; `*` is everything. */
function isExcluded({ hostname, port, protocol }: URL, list: string): boolean {
  const actual = port || (protocol === 'https:' ? '443' : '80');
  return list
    .toLowerCase()
    .split(/[\s,]+/)
    .some((entry) => {
      const [, pattern = '', wanted] = /^\*?\.?(.*?)(?::(\d+))?$/.exec(entry) ?? [];
      if (entry === '*') return true;
      if (pattern === '' || (wanted !== undefined && wanted !== actual)) return false;
      return hostname === pattern || hostname.endsWith(`.${pattern}`);
    });
}
