import { createHmac } from 'node:crypto';
import type { Vault } from '../ports/vault.ts';
import { equalSecrets } from './equal-secrets.ts';

const lifetimeMs = 10 * 60_000;

/** What a ticket says. */
export interface DeviceTicket {
  readonly userId: string;
  /** The code whose login it may answer; absent before one was found. */
  readonly userCode: string | undefined;
}

/** Says for ten minutes who has just logged in: the device pages carry it, so nobody logs in again for a typing error. */
export function createDeviceTicket(
  vault: Vault,
  { userId, userCode = '', now }: { readonly userId: string; readonly userCode?: string; readonly now: number },
): string {
  const content = `${userId}.${userCode}.${now + lifetimeMs}`;
  return `${content}.${sign(vault, content)}`;
}

/** A ticket that is genuine and not too old. */
export function readDeviceTicket(
  vault: Vault,
  { ticket, now }: { readonly ticket: string; readonly now: number },
): DeviceTicket | undefined {
  const [userId = '', userCode = '', expiresAt = '', signature = '', ...rest] = ticket.split('.');
  const genuine = rest.length === 0 && equalSecrets(signature, sign(vault, `${userId}.${userCode}.${expiresAt}`));
  if (!genuine || Number(expiresAt) <= now) return undefined;
  return { userId, userCode: userCode === '' ? undefined : userCode };
}

function sign(vault: Vault, content: string): string {
  return createHmac('sha256', vault.derive('device tickets')).update(content).digest('base64url');
}
