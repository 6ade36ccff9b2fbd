import { execFile } from 'node:child_process';
import { createServer } from 'node:net';
import { promisify } from 'node:util';
import type { Context } from '../context.ts';
import { findTenantPostgres } from '../local-tenant/tenant-postgres.ts';
import { hasProxy, proxyFor } from '../network/proxy-for.ts';
import type { Finding } from './finding.ts';

/** What of the computer matters: Node, Docker, the local cloud's port, proxies. */
export async function checkComputer(context: Context): Promise<readonly Finding[]> {
  const found = await Promise.all([checkDocker(context), checkPort(context), checkPostgres(context)]);
  return [checkNode(), ...found.flat(), ...checkProxy(context)];
}

function checkNode(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const good = major > 20 || (major === 20 && minor >= 19);
  const message = `Node ${process.versions.node}`;
  if (good) return { check: 'node', status: 'ok', message };
  return { check: 'node', status: 'problem', message, fix: 'Install Node 20.19 or later.' };
}

async function checkDocker({ env, signal }: Context): Promise<Finding> {
  try {
    const { stdout } = await promisify(execFile)('docker', ['version', '--format', '{{.Server.Version}}'], {
      env,
      signal,
      timeout: 5000,
    });
    return { check: 'docker', status: 'ok', message: `Docker ${stdout.trim()}` };
  } catch {
    const message = 'No Docker engine answers';
    return {
      check: 'docker',
      status: 'warning',
      message,
      fix: 'Not needed: images are built without it. Start it for bases with RUN lines.',
    };
  }
}

async function checkPostgres({ env }: Context): Promise<readonly Finding[]> {
  const postgres = await findTenantPostgres(env);
  if (postgres === undefined) return [];
  const now = postgres.running ? `runs at port ${postgres.port}` : 'is stopped, and starts when it is needed';
  return [{ check: 'postgres', status: 'ok', message: `The Postgres of local tenants ${now}` }];
}

async function checkPort(context: Context): Promise<Finding> {
  const free = await new Promise<boolean>((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(7300, '127.0.0.1', () => server.close(() => resolve(true)));
  });
  const apiUrl = free
    ? undefined
    : await context.credentials().then(
        ({ credentials }) => credentials.apiUrl,
        () => undefined,
      );
  return portFinding({ free, apiUrl });
}

/** What it means that somebody has the port of a local cloud, for a project that is logged in to `apiUrl`. */
export function portFinding({ free, apiUrl }: { free: boolean; apiUrl: string | undefined }): Finding {
  if (free) return { check: 'ports', status: 'ok', message: 'Port 7300 is free for a local cloud' };
  if (apiUrl !== undefined && /^https?:\/\/(?:127\.0\.0\.1|localhost|\[::1\]):7300(?:\/|$)/.test(apiUrl)) {
    return { check: 'ports', status: 'ok', message: 'Port 7300 is that of the API of this project' };
  }
  const fix = 'If that is no local cloud (systemprompt cloud local status): systemprompt cloud local up --port 0';
  return { check: 'ports', status: 'warning', message: 'Port 7300 is in use', fix };
}

function checkProxy({ env }: Context): readonly Finding[] {
  if (!hasProxy(env)) return [];
  try {
    const proxy = proxyFor(new URL('https://api.systemprompt.io'), env);
    const message = proxy === undefined ? 'The API is reached without the proxy: NO_PROXY' : `Through ${proxy.host}`;
    return [{ check: 'proxy', status: 'ok', message }];
  } catch {
    const message = 'The proxy of the environment is no URL';
    return [
      { check: 'proxy', status: 'problem', message, fix: 'Correct HTTPS_PROXY, such as http://proxy.example:3128' },
    ];
  }
}
