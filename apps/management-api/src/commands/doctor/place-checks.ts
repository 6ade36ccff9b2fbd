import { randomBytes } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Configuration } from '../../configuration/configuration.ts';
import { isLoopback } from '../../configuration/values.ts';
import { type Check, ok, warning } from './check.ts';
import { hasOwnFlyDomain } from './tenant-name-check.ts';

/** Folders, names and addresses. */
export function placeChecks(configuration: Configuration): Check[] {
  const { baseUrl, tenantDomain, registryDirectory, machines, machinesDirectory } = configuration;
  return [
    { name: 'registry', run: () => checkFolder(registryDirectory) },
    ...(machines === 'process' ? [{ name: 'machines', run: () => checkFolder(machinesDirectory) }] : []),
    { name: 'public address', run: (signal) => checkAddress(baseUrl, signal) },
    // Where each tenant has an app of its own, no one record leads to all of them.
    ...(isLoopback(baseUrl) || hasOwnFlyDomain(configuration)
      ? []
      : [{ name: 'tenant names', run: () => checkName(tenantDomain) }]),
  ];
}

async function checkFolder(path: string): ReturnType<Check['run']> {
  const probe = join(path, `.doctor-${randomBytes(6).toString('hex')}`);
  await mkdir(path, { recursive: true, mode: 0o700 });
  await writeFile(probe, '', { flag: 'wx' });
  await rm(probe);
  return ok(`${path} can be written`);
}

/** Before the first start nobody answers there, which is no fault. */
async function checkAddress(baseUrl: string, signal: AbortSignal): ReturnType<Check['run']> {
  try {
    const response = await fetch(`${baseUrl}/readyz`, { signal, redirect: 'manual' });
    await response.body?.cancel();
    return response.status === 200
      ? ok(`${baseUrl} is ready`)
      : warning(`${baseUrl}/readyz was answered ${response.status}`);
  } catch (error) {
    const { cause } = error as { cause?: { code?: string } };
    return warning(`${baseUrl} does not answer (${cause?.code ?? 'no connection'})`);
  }
}

/** Any name below the domain has to lead somewhere, as tenants get new ones. */
async function checkName(domain: string): ReturnType<Check['run']> {
  const name = `doctor-${randomBytes(4).toString('hex')}.${domain.replace(/:\d+$/, '')}`;
  try {
    const { address } = await lookup(name);
    return ok(`*.${domain} leads to ${address}`);
  } catch {
    return warning(`*.${domain} leads nowhere`);
  }
}
