import { setTimeout as delay } from 'node:timers/promises';
import { MachineError } from '../machine-error.ts';
import { appUrl, type FlyContext, type FlyScope } from './fly-context.ts';
import { anything, leaseSchema } from './fly-wire.ts';

/** Longer than anything that is done under a lease; a process that was killed holds it that long. */
export const leaseSeconds = 60;
const waitMs = 75_000;
const pauseMs = 1000;

/**
 * Does work while nobody else can change the machine. One who holds it is waited for: at the longest until a lease of a
 * killed process has run out.
 */
export async function withLease<T>(
  context: FlyContext,
  scope: FlyScope & { readonly machineId: string },
  work: (nonce: string) => Promise<T>,
): Promise<T | undefined> {
  const { signal } = scope;
  const nonce = await acquire(context, scope);
  if (nonce === undefined) return undefined;
  try {
    return await work(nonce);
  } finally {
    if (signal?.aborted !== true) await releaseLease(context, { ...scope, nonce });
  }
}

/** Gives a lease back. That of a machine which is gone, or one that has run out, is none any more. */
export async function releaseLease(
  context: FlyContext,
  scope: FlyScope & { readonly machineId: string; readonly nonce: string },
): Promise<void> {
  const { appName, releaseId, machineId, nonce, signal } = scope;
  const url = leaseUrl(context, scope);
  const facts = { action: 'lease-delete', appName, releaseId, method: 'DELETE', identifier: machineId } as const;
  await context.api
    .call({ ...facts, url, nonce, answer: anything, missing: 'absent', signal })
    // It ends by itself.
    .catch(() => undefined);
}

/** The nonce; `undefined` when the machine is gone. */
async function acquire(
  context: FlyContext,
  scope: FlyScope & { readonly machineId: string },
): Promise<string | undefined> {
  const { appName, releaseId, machineId, signal } = scope;
  const url = leaseUrl(context, scope);
  const facts = { action: 'lease-create', appName, releaseId, method: 'POST', identifier: machineId } as const;
  const body = { description: 'systemprompt', ttl: leaseSeconds };
  const until = performance.now() + waitMs;
  for (;;) {
    try {
      const answer = await context.api.call({ ...facts, url, body, answer: leaseSchema, missing: 'absent', signal });
      return answer?.data.nonce;
    } catch (error) {
      signal?.throwIfAborted();
      // After an answer that got lost the lease is ours and its nonce unknown: it has to run out as well.
      const isHeld = error instanceof MachineError && ['conflict', 'ambiguous'].includes(error.failureClass ?? '');
      if (!isHeld || performance.now() > until) throw error;
    }
    await delay(pauseMs, undefined, signal === undefined ? {} : { signal });
  }
}

function leaseUrl(context: FlyContext, scope: FlyScope & { readonly machineId: string }): string {
  return `${appUrl(context, scope.appName)}/machines/${scope.machineId}/lease`;
}
