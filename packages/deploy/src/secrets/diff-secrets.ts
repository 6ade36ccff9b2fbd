import { createHmac } from 'node:crypto';
import type { SecretsDiff } from '@sp/cloud-api';
import type { TenantOptions } from '../flow/deploy-api.ts';
import { refuseSecretNames } from './secret-names.ts';

/** What is compared with what the tenant has. */
export interface DiffSecretsOptions extends TenantOptions {
  /** The variables as they should be. */
  readonly secrets: Readonly<Record<string, string>>;
  /** Whether names that are not in `secrets` are to be removed. @defaultValue false */
  readonly prune?: boolean | undefined;
}

/**
 * Which variables a deploy with these secrets adds, changes and removes for the machine that runs. Names only, and no
 * value travels: the server compares digests that are made with a key of the tenant.
 *
 * @throws {@link DeployError} `SP_DEPLOY_SECRET_REFUSED`; an error of `@sp/cloud-api`
 * @example
 * const { added, changed, removed } = await diffSecrets({ api, tenantId, secrets: { LOG_LEVEL: 'debug' } });
 */
export async function diffSecrets(options: DiffSecretsOptions): Promise<SecretsDiff> {
  const { api, tenantId, secrets, prune = false, signal } = options;
  refuseSecretNames(Object.keys(secrets));
  const key = Buffer.from(await api.releases.getSecretDigestKey(tenantId, { signal }), 'base64');
  const digests = Object.entries(secrets).map(([name, value]) => [
    name,
    createHmac('sha256', key).update(`${name}\0${value}`).digest('hex'),
  ]);
  return await api.releases.diffSecrets(tenantId, { secrets: Object.fromEntries(digests), prune }, { signal });
}
