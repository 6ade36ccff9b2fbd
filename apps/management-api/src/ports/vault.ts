/** Seals small secrets; what was sealed opens only with the same context. */
export interface Vault {
  /** Id of the key-encryption key that seals. */
  readonly keyId: string;
  /** Ids of the keys that open, the one that seals first. */
  readonly keyIds: readonly string[];
  seal(plaintext: Uint8Array, context: string): Promise<Buffer>;
  /** Throws when the bytes or the context were changed, or no key of the vault has sealed them. */
  open(sealed: Uint8Array, context: string): Promise<Buffer>;
  /** The same plaintext sealed with the key of now; `undefined` when it is that key's already. Throws as {@link Vault.open}. */
  reseal(sealed: Uint8Array, context: string): Promise<Buffer | undefined>;
  /**
   * A secret that can be made again: HMAC-SHA256 of the label under a key of the vault. It changes with the key that
   * seals: for what lives for minutes.
   */
  derive(label: string): Buffer;
}
