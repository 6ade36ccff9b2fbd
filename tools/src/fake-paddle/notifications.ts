import { createHmac } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { PaddleNotification } from './books.ts';

/** Where notifications go. */
export interface Destination {
  readonly url: string;
  /** Each signs: two while one replaces the other. */
  readonly secrets: readonly string[];
  /** @defaultValue the global `fetch` */
  readonly fetch?: ((url: string, init: RequestInit) => Promise<Response>) | undefined;
  /** Pause before an attempt is repeated, in milliseconds. @defaultValue 50 */
  readonly retryMs?: number | undefined;
  /** @defaultValue 20 */
  readonly attempts?: number | undefined;
  /** How the network treats what is sent: gives back what is delivered, in which order and how often. @defaultValue as it is */
  readonly disturb?: ((notifications: readonly PaddleNotification[]) => readonly PaddleNotification[]) | undefined;
}

/** Sends notifications in the background, each until it is answered with success. */
export interface Notifier {
  send(notifications: readonly PaddleNotification[]): void;
  /** Waits until all is delivered, or given up; gives the notifications that nobody took. */
  settle(): Promise<readonly PaddleNotification[]>;
}

/** The value of `Paddle-Signature` for a body. */
export function signNotification(body: string, secrets: readonly string[], at = Date.now()): string {
  const timestamp = Math.floor(at / 1000);
  const sign = (secret: string): string => createHmac('sha256', secret).update(`${timestamp}:${body}`).digest('hex');
  return [`ts=${timestamp}`, ...secrets.map((secret) => `h1=${sign(secret)}`)].join(';');
}

/** A notifier for a destination. */
export function createNotifier(destination: Destination): Notifier {
  const { url, secrets, fetch = globalThis.fetch, retryMs = 50, attempts = 20, disturb = (all) => all } = destination;
  const open = new Set<Promise<void>>();
  const lost: PaddleNotification[] = [];

  async function deliver(notification: PaddleNotification): Promise<void> {
    const body = JSON.stringify(notification);
    for (let attempt = 1; attempt <= attempts; attempt += 1) {
      // Signed anew: a signature is good for a few minutes only.
      const headers = { 'content-type': 'application/json', 'paddle-signature': signNotification(body, secrets) };
      const taken = await fetch(url, { method: 'POST', headers, body, signal: AbortSignal.timeout(5000) })
        .then(async (response) => {
          await response.body?.cancel();
          return response.ok;
        })
        .catch(() => false);
      if (taken) return;
      await delay(retryMs * attempt);
    }
    lost.push(notification);
  }

  return {
    send: (notifications) => {
      for (const notification of disturb(notifications)) {
        const delivery = deliver(notification).finally(() => open.delete(delivery));
        open.add(delivery);
      }
    },
    settle: async () => {
      while (open.size > 0) await Promise.all(open);
      return lost;
    },
  };
}
