import { createAccessTokens } from '../tokens/access-tokens.ts';
import { rotateKeys } from '../vault/rotate-keys.ts';
import { defineCommand } from './define-command.ts';
import { exitCodes } from './exit-codes.ts';
import { openDatabase, requireMigrations } from './open-database.ts';
import { openVault } from './open-vault.ts';
import { readConfiguration } from './read-configuration.ts';
import { runCommand } from './run-command.ts';

/** What `rotate-keys` did. */
export interface RotateKeysResult {
  /** What became of everything that is sealed with a vault key; absent with `--signing`. */
  readonly vault?: {
    /** Id of the key that seals. */
    readonly key_id: string;
    /** How many values were sealed again with it. */
    readonly resealed: number;
    /** How many no key that is configured opens. */
    readonly unreadable: number;
  };
  /** Id of the new key that signs access tokens, ten minutes from now; absent with `--vault`. */
  readonly signing_key?: string;
}

/** `sp-management-api rotate-keys`: new keys, while the old ones are good until nobody needs them. */
export const rotateKeysCommand = defineCommand({
  command: 'rotate-keys',
  describe:
    'Seal everything with the newest vault key, and make a new signing key; safe to repeat, and while it serves.',
  options: {
    vault: { type: 'boolean', default: false, describe: 'Only seal everything with the newest vault key' },
    signing: { type: 'boolean', default: false, describe: 'Only make a new signing key' },
  },
  check: ({ vault, signing }) => (vault && signing ? '--vault and --signing exclude each other.' : undefined),
  run: ({ json, vault: vaultOnly, signing: signingOnly }) =>
    runCommand<RotateKeysResult>({ json, toText, exitCode }, async () => {
      const configuration = readConfiguration();
      const store = await openDatabase(configuration.databaseUrl);
      try {
        await requireMigrations(store);
        const vault = openVault(configuration);
        const sealed = signingOnly ? undefined : await rotateKeys({ store, vault });
        const tokens = vaultOnly
          ? undefined
          : await createAccessTokens({ store, vault, issuer: configuration.baseUrl });
        return {
          ...(sealed === undefined
            ? {}
            : {
                vault: {
                  key_id: sealed.keyId,
                  resealed: Object.values(sealed.resealed).reduce((sum, count) => sum + count, 0),
                  unreadable: sealed.unreadable,
                },
              }),
          ...(tokens === undefined ? {} : { signing_key: await tokens.rotate() }),
        };
      } finally {
        await store.close();
      }
    }),
});

// Whoever dropped the earlier keys now would lose what none opens.
function exitCode({ vault }: RotateKeysResult): number {
  return (vault?.unreadable ?? 0) === 0 ? exitCodes.ok : exitCodes.failed;
}

function toText({ vault, signing_key: kid }: RotateKeysResult): string {
  const lines = [
    vault && `Sealed ${vault.resealed} values again with vault key ${vault.key_id}.`,
    vault?.unreadable
      ? `${vault.unreadable} values are opened by no key: do not drop any key, and look for the one they need.`
      : undefined,
    kid &&
      `Signing key ${kid} is published, and signs in ten minutes. Tokens of earlier keys are good until they expire.`,
  ];
  return lines.filter(Boolean).join('\n');
}
