import { createHmac, timingSafeEqual } from 'node:crypto';

/** The header that carries a webhook's signature. */
export const signatureHeader = 'paddle-signature';

/** How far the clocks of sender and receiver may differ, and how late a delivery may be, in seconds. */
const defaultToleranceSeconds = 300;

/** Signs a webhook as Paddle does: `ts=<seconds>;h1=<HMAC-SHA256 of "ts:body", hex>`. */
export function signWebhook(
  body: Uint8Array,
  options: { readonly secret: string; readonly now?: (() => number) | undefined },
): string {
  const { secret, now = Date.now } = options;
  const timestamp = String(Math.floor(now() / 1000));
  return `ts=${timestamp};h1=${digest(body, { secret, timestamp }).toString('hex')}`;
}

/**
 * Whether a webhook is from somebody who knows one of the secrets, and fresh. Several `h1` values are tried with each
 * secret, so that either side can change its secret without losing a payment.
 */
export function verifyWebhook(
  body: Uint8Array,
  options: {
    /** The signature header; absent is not signed. */
    readonly header: string | null;
    readonly secrets: readonly string[];
    /** Past or future. @defaultValue 300 */
    readonly toleranceSeconds?: number | undefined;
    /** Milliseconds since 1970. @defaultValue `Date.now` */
    readonly now?: (() => number) | undefined;
  },
): boolean {
  const { header, secrets, toleranceSeconds = defaultToleranceSeconds, now = Date.now } = options;
  const members = (header ?? '').split(';').map((member) => member.trim());
  const timestamp = members.find((member) => /^ts=\d{1,12}$/.test(member))?.slice(3);
  const signatures = members.filter((member) => /^h1=[0-9a-f]{64}$/.test(member)).map((member) => member.slice(3));
  if (timestamp === undefined || Math.abs(now() / 1000 - Number(timestamp)) > toleranceSeconds) return false;
  return secrets.some((secret) => {
    const expected = digest(body, { secret, timestamp });
    return signatures.some((signature) => timingSafeEqual(Buffer.from(signature, 'hex'), expected));
  });
}

function digest(
  body: Uint8Array,
  { secret, timestamp }: { readonly secret: string; readonly timestamp: string },
): Buffer {
  return createHmac('sha256', secret).update(`${timestamp}:`).update(body).digest();
}
