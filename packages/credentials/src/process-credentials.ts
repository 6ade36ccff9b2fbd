import { type CredentialsBootstrap, createCredentialsBootstrap } from './credentials-bootstrap.ts';

const key = Symbol.for('@sp/credentials.bootstrap');

/**
 * The one holder of this process, the same for every copy of this package; made when it is first asked for. A holder
 * that is passed on (`createCredentialsBootstrap`) is easier to test.
 */
export function processCredentials(): CredentialsBootstrap {
  const held = globalThis as { [key]?: CredentialsBootstrap };
  return (held[key] ??= createCredentialsBootstrap());
}
