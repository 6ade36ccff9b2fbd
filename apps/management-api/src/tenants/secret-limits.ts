import { invalidRequest } from '../http/errors.ts';
import { sealedExtraBytes } from './data-keys.ts';
import type { SecretRow } from './secret-versions.ts';

/** What an owner may keep: all of it is one environment of one process, and is frozen with every release. */
const most = { names: 256, valueBytes: 64 * 1024, bytes: 256 * 1024 } as const;

/**
 * Holds an owner's secrets against what there may be of them; what was more before may become less.
 * @throws {ApiFailure} invalid_request
 */
export function checkSecretLimits(
  rows: ReadonlyMap<string, Pick<SecretRow, 'ciphertext'>>,
  secrets: Readonly<Record<string, string>>,
): void {
  const before = new Map(Array.from(rows, ([name, { ciphertext }]) => [name, ciphertext.length - sealedExtraBytes]));
  const after = new Map(before);
  for (const [name, value] of Object.entries(secrets)) {
    const bytes = Buffer.byteLength(value);
    if (bytes > most.valueBytes) {
      throw invalidRequest(`body.secrets.${name}: has ${bytes} bytes; ${most.valueBytes} are the most.`);
    }
    after.set(name, bytes);
  }
  if (after.size > most.names && after.size > before.size) {
    throw invalidRequest(`body.secrets: there would be ${after.size} secrets; ${most.names} are the most.`);
  }
  const all = sum(after);
  if (all > most.bytes && all > sum(before)) {
    throw invalidRequest(`body.secrets: there would be ${all} bytes of secrets; ${most.bytes} are the most.`);
  }
}

function sum(sizes: ReadonlyMap<string, number>): number {
  return Array.from(sizes.values()).reduce((total, bytes) => total + bytes, 0);
}
