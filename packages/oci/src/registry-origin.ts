import { OciError } from './error.ts';
import { isRegistryName } from './reference.ts';

/**
 * The URL origin of a registry. Plain HTTP is the default for this computer only, as in Docker's own tools.
 *
 * @throws {@link OciError} `SP_OCI_REFERENCE` when `registry` is not `host[:port]`
 */
export function registryOrigin(registry: string, insecure?: boolean): string {
  if (!isRegistryName(registry)) {
    throw new OciError('SP_OCI_REFERENCE', `Invalid registry ${JSON.stringify(registry)}: not host[:port]`);
  }
  // Docker Hub's name is not where its registry answers.
  const host = registry === 'docker.io' ? 'registry-1.docker.io' : registry;
  return new URL(`${(insecure ?? isLoopback(registry)) ? 'http' : 'https'}://${host}`).origin;
}

function isLoopback(registry: string): boolean {
  const host = registry.replace(/:[0-9]+$/, '').toLowerCase();
  return host === 'localhost' || host.endsWith('.localhost') || host === '127.0.0.1' || host === '[::1]';
}
