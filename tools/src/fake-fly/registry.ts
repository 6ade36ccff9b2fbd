import { createDiskRegistryStorage, createRegistryHandler, type RegistryStorage } from '@sp/oci';
import type { FlyContext } from './fly-context.ts';

/** A stand-in for registry.fly.io: a repository for each app, which everybody of its organization may read and write. */
export function createFakeRegistry(options: {
  readonly directory: string;
  readonly context: () => Pick<FlyContext, 'apps' | 'tokens'>;
}): { readonly storage: RegistryStorage; fetch(request: Request): Promise<Response> } {
  const { directory, context } = options;
  const storage = createDiskRegistryStorage(directory);
  const handler = createRegistryHandler({
    storage,
    authorize: async ({ request, repository }) => {
      const encoded = /^Basic (\S+)$/.exec(request.headers.get('authorization') ?? '')?.[1] ?? '';
      // Any name; the password is the token.
      const [, token = ''] = /^[^:]*:(.*)$/s.exec(Buffer.from(encoded, 'base64').toString('utf8')) ?? [];
      const { apps, tokens } = context();
      const org = tokens.get(token);
      if (org === undefined) {
        const challenge = 'Basic realm="registry.fly.io"';
        return { allow: false, status: 401, code: 'UNAUTHORIZED', message: 'authentication required', challenge };
      }
      if (repository === undefined || apps.get(repository)?.org === org) return { allow: true, account: org };
      return { allow: false, status: 404, code: 'NAME_UNKNOWN', message: 'app repository not found' };
    },
  });
  return { storage, fetch: handler };
}
