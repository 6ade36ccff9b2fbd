import { readChecks } from './machine-life.ts';
import type { FakeMachine } from './state.ts';

/** A machine as the API shows it. */
export async function machineToWire(machine: FakeMachine, options: { readonly nonce?: string | undefined } = {}) {
  const [, registry = '', repository = '', digest = ''] = /^([^/]+)\/([^@:]+)@?(.*)$/.exec(machine.config.image) ?? [];
  return {
    id: machine.id,
    name: machine.name,
    state: machine.state,
    region: machine.region,
    instance_id: machine.instanceId,
    private_ip: machine.privateIp,
    config: machine.config,
    image_ref: { registry, repository, tag: '', digest, labels: null },
    created_at: machine.createdAt,
    updated_at: machine.createdAt,
    events: machine.events,
    checks: (await readChecks(machine)).map((check) => ({ ...check, updated_at: new Date().toISOString() })),
    host_status: 'ok',
    cordoned: false,
    ...(options.nonce === undefined ? {} : { nonce: options.nonce }),
  };
}
