/** Seals small secrets; what was sealed opens only with the same context. */
export interface Vault {
  /** Id of the key-encryption key in use. */
  readonly keyId: string;
  seal(plaintext: Uint8Array, context: string): Promise<Buffer>;
  /** Throws when the bytes or the context were changed. */
  open(sealed: Uint8Array, context: string): Promise<Buffer>;
  /** A secret that can be made again: HMAC-SHA256 of the label under a key of the vault. */
  derive(label: string): Buffer;
}
