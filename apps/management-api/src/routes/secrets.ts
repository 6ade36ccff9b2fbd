import { systemManagedSecrets } from '@sp/cloud-api/contract';
import { ApiFailure } from '../http/errors.ts';
import type { Handlers } from '../http/handlers.ts';
import { deleteSecret, listSecretNames, setSecrets } from '../tenants/secrets.ts';
import type { RouteDeps } from './deps.ts';
import { resolveTenant } from './resolve-tenant.ts';

/** The handlers of `contract.secrets`. */
export function secretHandlers(deps: RouteDeps): Handlers['secrets'] {
  return {
    list: async ({ params, user }) => {
      const { id } = await resolveTenant(deps, { id: params.id, user });
      return { keys: await listSecretNames(deps.store, id) };
    },

    set: async ({ params, user, body: { secrets } }) => {
      const { id } = await resolveTenant(deps, { id: params.id, user });
      for (const name of Object.keys(secrets)) refuseSystemManaged(name);
      await setSecrets(deps, { tenantId: id, kind: 'user', secrets });
      return undefined;
    },

    delete: async ({ params, user }) => {
      const { id } = await resolveTenant(deps, { id: params.id, user });
      refuseSystemManaged(params.key);
      await deleteSecret(deps.store, { tenantId: id, name: params.key });
      return undefined;
    },
  };
}

function refuseSystemManaged(name: string): void {
  if (!systemManagedSecrets.includes(name)) return;
  throw new ApiFailure(`${name} is set by the platform and cannot be changed.`, {
    status: 400,
    code: 'system_managed_secret',
  });
}
