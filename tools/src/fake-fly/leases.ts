import { FlyFailure, notFound } from './failure.ts';
import { type FlyContext, type FlyServer, findApp, findMachine, newId } from './fly-context.ts';
import { leaseRequest } from './resource-schemas.ts';
import { route } from './route.ts';
import type { FakeLease, FakeMachine } from './state.ts';

const path = '/v1/apps/:app/machines/:machine/lease';

export function mountLeases(server: FlyServer, context: FlyContext): void {
  route(server, context, {
    method: 'post',
    path,
    action: 'lease-create',
    identifier: 'machine',
    body: leaseRequest,
    answer: ({ org, app, parameter, body: { ttl = 60, description = '' }, nonce }) => {
      const machine = findMachine(context, findApp(context, { name: app, org }), parameter('machine'));
      const held = currentLease(context, machine);
      if (held !== undefined && held.nonce !== nonce) throw leaseHeld(machine, held);
      machine.lease = newLease(context, { ttl, description, org, nonce: held?.nonce });
      return { status: 201, body: leaseAnswer(machine, machine.lease) };
    },
  });

  route(server, context, {
    method: 'delete',
    path,
    action: 'lease-delete',
    identifier: 'machine',
    answer: ({ org, app, parameter, nonce }) => {
      const machine = findMachine(context, findApp(context, { name: app, org }), parameter('machine'));
      const held = currentLease(context, machine);
      if (held === undefined) throw notFound('lease');
      if (held.nonce !== nonce) throw leaseHeld(machine, held);
      machine.lease = undefined;
      return { status: 200, body: { status: 'success' } };
    },
  });
}

export function newLease(
  context: FlyContext,
  lease: {
    readonly ttl: number;
    readonly description: string;
    readonly org: string;
    readonly nonce?: string | undefined;
  },
): FakeLease {
  const { ttl, description, org, nonce = newId('', 6) } = lease;
  return { nonce, expiresAt: context.now() + ttl * 1000, owner: `${org}@tokens.fly.io`, description };
}

/**
 * Refuses a change by somebody else than the holder of the lease.
 * @throws {FlyFailure} 409
 */
export function checkLease(context: FlyContext, machine: FakeMachine, nonce: string | undefined): void {
  const held = currentLease(context, machine);
  if (held !== undefined && held.nonce !== nonce) throw leaseHeld(machine, held);
  if (held === undefined && nonce !== undefined)
    throw new FlyFailure(409, `lease on machine ${machine.id} is not held`);
}

function currentLease(context: FlyContext, machine: FakeMachine): FakeLease | undefined {
  return machine.lease !== undefined && machine.lease.expiresAt > context.now() ? machine.lease : undefined;
}

function leaseHeld(machine: FakeMachine, lease: FakeLease): FlyFailure {
  const until = new Date(lease.expiresAt).toISOString();
  return new FlyFailure(
    409,
    `failed to acquire lease: machine ${machine.id} is leased by ${lease.owner} until ${until}`,
  );
}

function leaseAnswer(machine: FakeMachine, lease: FakeLease): unknown {
  const { nonce, expiresAt, owner, description } = lease;
  const data = { nonce, expires_at: Math.floor(expiresAt / 1000), owner, description, version: machine.instanceId };
  return { status: 'success', data };
}
