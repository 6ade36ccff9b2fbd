import { secretNamePattern, systemManagedSecrets } from '@sp/cloud-api';
import { DeployError } from '../deploy-error.ts';

/** Why a name cannot be a tenant's variable, or `undefined`. */
export function secretNameProblem(name: string): string | undefined {
  if (systemManagedSecrets.includes(name.toUpperCase())) return 'set by the platform';
  return secretNamePattern.test(name) ? undefined : 'not a name of an environment variable';
}

/** @throws {@link DeployError} `SP_DEPLOY_SECRET_REFUSED` with all names that cannot be set */
export function refuseSecretNames(names: readonly string[]): void {
  const refused = names.filter((name) => secretNameProblem(name) !== undefined);
  if (refused.length === 0) return;
  const list = refused.map((name) => `${name} (${secretNameProblem(name)})`).join(', ');
  throw new DeployError('SP_DEPLOY_SECRET_REFUSED', `Cannot set ${list}`, { names: refused });
}
