import { createHash, randomInt } from 'node:crypto';
import { crc32 } from 'node:zlib';

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const randomLength = 40;
const checksumLength = 6;
const pattern = /^spc_[0-9A-Za-z]{46}$/;

/**
 * A new API token: a prefix by which scanners for leaked secrets know it, 238 random bits, and a checksum by which they,
 * and we, tell it from something that only looks like one.
 */
export function makeApiToken(): string {
  const random = Array.from({ length: randomLength }, () => alphabet[randomInt(alphabet.length)]).join('');
  return `spc_${random}${checksum(random)}`;
}

/** Whether a text can be an API token of ours; no database is needed for it. */
export function isApiToken(text: string): boolean {
  return pattern.test(text) && text.slice(-checksumLength) === checksum(text.slice(4, -checksumLength));
}

/** What is kept of a token. It has more bits than anybody can try, so a plain hash is enough. */
export function hashApiToken(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

function checksum(text: string): string {
  let rest = crc32(text);
  let digits = '';
  for (let digit = 0; digit < checksumLength; digit += 1) {
    digits = `${alphabet[rest % 62]}${digits}`;
    rest = Math.floor(rest / 62);
  }
  return digits;
}
