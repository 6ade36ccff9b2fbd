import type { Configuration } from '../configuration/configuration.ts';
import type { Vault } from '../ports/vault.ts';
import { createVault } from '../vault/file-vault.ts';

/** The vault over the configured keys: the first one seals, all of them open. */
export function openVault({
  vaultKey,
  previousVaultKeys,
}: Pick<Configuration, 'vaultKey' | 'previousVaultKeys'>): Vault {
  return createVault(vaultKey, { previousKeys: previousVaultKeys });
}
