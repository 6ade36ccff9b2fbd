import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import type { Duplex } from 'node:stream';
import tls from 'node:tls';
import { CliError } from '../cli-error.ts';
import { proxyFor } from './proxy-for.ts';

type Environment = Readonly<Record<string, string | undefined>>;
type Callback = (error: Error | null, socket?: Duplex) => void;

/** What of an agent is changed: Node calls these, and declares neither. */
interface OpenAgent {
  addRequest(request: http.ClientRequest, options: Record<string, unknown>): void;
  createConnection(options: Record<string, unknown>, callback: Callback): Duplex | undefined;
}

/**
 * Makes every request of this process go through the proxies of the environment and believe the certificates of
 * `SYSTEMPROMPT_CA_FILE`. It changes Node's agents, because the registry's client has its own; Node 20 knows no proxies.
 *
 * @throws {CliError} `SP_CLI_USAGE` for a proxy or a file that cannot be used
 */
export function installNetwork(env: Environment): void {
  const ca = env['SYSTEMPROMPT_CA_FILE'] ? loadAuthorities(env['SYSTEMPROMPT_CA_FILE'], env) : undefined;
  const trust = ca === undefined ? {} : { ca };
  const proxyOf = (url: string): URL | undefined => {
    const proxy = readProxy(url, env);
    if (proxy === undefined || /^https?:$/.test(proxy.protocol)) return proxy;
    const scheme = proxy.protocol.slice(0, -1);
    throw new CliError(
      'SP_CLI_USAGE',
      `The proxy ${proxy.host} is one for ${scheme}: only http and https are understood`,
    );
  };
  // Said now and not in the middle of a request.
  proxyOf('https://systemprompt.example');
  proxyOf('http://systemprompt.example');

  const plain = http.Agent.prototype as unknown as OpenAgent;
  const secure = https.Agent.prototype as unknown as OpenAgent;
  const { addRequest } = plain;
  const { createConnection } = secure;
  plain.addRequest = function (request, options) {
    const proxy = this instanceof https.Agent ? undefined : proxyOf(`http://${authority(options, 80)}`);
    if (proxy === undefined) return addRequest.call(this, request, options);
    // A proxy for plain HTTP is asked for the whole address.
    request.path = `http://${authority(options, 80)}${request.path}`;
    for (const [name, value] of Object.entries(credentialsOf(proxy))) request.setHeader(name, value);
    return addRequest.call(this, request, { ...options, host: proxy.hostname, port: Number(proxy.port || 80) });
  };
  secure.createConnection = function (options, callback) {
    const proxy = proxyOf(`https://${authority(options, 443)}`);
    const trusting = { ...options, ...trust };
    if (proxy === undefined) return createConnection.call(this, trusting, callback);
    openTunnel(proxy, authority(options, 443), (error, socket) => {
      if (socket === undefined) callback(error);
      else callback(null, tls.connect({ ...trusting, socket }));
    });
    return undefined;
  };
}

function readProxy(url: string, env: Environment): URL | undefined {
  try {
    return proxyFor(new URL(url), env);
  } catch {
    throw new CliError('SP_CLI_USAGE', 'A proxy of the environment is no URL: check HTTPS_PROXY and HTTP_PROXY');
  }
}

function authority(options: Record<string, unknown>, port: number): string {
  const host = typeof options['host'] === 'string' ? options['host'] : 'localhost';
  return `${host.includes(':') ? `[${host}]` : host}:${Number(options['port'] ?? port)}`;
}

function credentialsOf({ username, password }: URL): Readonly<Record<string, string>> {
  if (username === '') return {};
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { 'proxy-authorization': `Basic ${Buffer.from(pair).toString('base64')}` };
}

/** A connection through the proxy to `target`, such as `api.example:443`. */
function openTunnel(proxy: URL, target: string, callback: Callback): void {
  const { request } = proxy.protocol === 'https:' ? https : http;
  const connect = request({
    method: 'CONNECT',
    host: proxy.hostname,
    port: Number(proxy.port || (proxy.protocol === 'https:' ? 443 : 80)),
    path: target,
    headers: { host: target, ...credentialsOf(proxy) },
    // Not the agent that asks: that would go through the proxy again.
    agent: false,
  });
  connect.once('error', (error) => callback(error));
  connect.once('connect', ({ statusCode }, socket) => {
    if (statusCode === 200) return callback(null, socket);
    socket.destroy();
    const message = `The proxy ${proxy.host} answered ${statusCode} instead of connecting to ${target}`;
    return callback(Object.assign(new Error(message), { code: 'EPROXY' }));
  });
  connect.end();
}

/** The authorities of the file besides those that Node believes anyway. */
function loadAuthorities(path: string, env: Environment): string[] {
  let own: string;
  let more: string[];
  try {
    const extra = env['NODE_EXTRA_CA_CERTS'];
    more = extra ? [readFileSync(extra, 'utf8')] : [];
    own = readFileSync(path, 'utf8');
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code ?? 'unreadable';
    throw new CliError('SP_CLI_USAGE', `Cannot read the certificates of SYSTEMPROMPT_CA_FILE: ${why}`);
  }
  // TLS takes any text, and believes nobody for it.
  if (!/-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----/.test(own)) {
    throw new CliError('SP_CLI_USAGE', 'SYSTEMPROMPT_CA_FILE holds no certificate in PEM');
  }
  return [...tls.rootCertificates, ...more, own];
}
