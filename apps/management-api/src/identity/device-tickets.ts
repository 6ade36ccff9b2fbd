import { createHmac } from 'node:crypto';
import type { Vault } from '../ports/vault.ts';
import { equalSecrets } from './equal-secrets.ts';

const lifetimeMs = 10 * 60_000;

/** Says for ten minutes who has just logged in: the device pages carry it, so nobody logs in again for a typing error. */
export function createDeviceTicket(vault: Vault, request: { readonly userId: string; readonly now: number }): string {
  const content = `${request.userId}.${request.now + lifetimeMs}`;
  return `${content}.${sign(vault, content)}`;
}

/** The user of a ticket that is genuine and not too old. */
export function readDeviceTicket(
  vault: Vault,
  { ticket, now }: { readonly ticket: string; readonly now: number },
): string | undefined {
  const [userId = '', expiresAt = '', signature = '', ...rest] = ticket.split('.');
  const genuine = rest.length === 0 && equalSecrets(signature, sign(vault, `${userId}.${expiresAt}`));
  return genuine && Number(expiresAt) > now ? userId : undefined;
}

function sign(vault: Vault, content: string): string {
  return createHmac('sha256', vault.derive('device tickets')).update(content).digest('base64url');
}
