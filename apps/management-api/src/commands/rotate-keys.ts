import { createAccessTokens } from '../tokens/access-tokens.ts';
import { createVault } from '../vault/file-vault.ts';
import { defineCommand } from './define-command.ts';
import { openDatabase, requireMigrations } from './open-database.ts';
import { readConfiguration } from './read-configuration.ts';
import { runCommand } from './run-command.ts';

/** What `rotate-keys` did. */
export interface RotateKeysResult {
  /** Id of the new signing key; it signs ten minutes after it was published. */
  readonly signing_key: string;
}

/** `sp-management-api rotate-keys`: new keys, while the old ones are good until nobody needs them. */
export const rotateKeysCommand = defineCommand({
  command: 'rotate-keys',
  describe: 'Make a new signing key, and wrap all keys of tenants with the current vault key.',
  options: {},
  run: ({ json }) =>
    runCommand<RotateKeysResult>({ json, toText }, async () => {
      const { databaseUrl, vaultKey, baseUrl } = readConfiguration();
      const store = await openDatabase(databaseUrl);
      try {
        await requireMigrations(store);
        const vault = createVault(vaultKey);
        const tokens = await createAccessTokens({ store, vault, issuer: baseUrl });
        return { signing_key: await tokens.rotate() };
      } finally {
        await store.close();
      }
    }),
});

function toText({ signing_key: kid }: RotateKeysResult): string {
  return `Signing key ${kid} is published, and signs in ten minutes. Tokens of the keys before it are good until they expire.`;
}
