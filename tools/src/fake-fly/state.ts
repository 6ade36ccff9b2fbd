import type { MachineConfig } from './machine-schemas.ts';

/** One application of the fake. */
export interface FakeApp {
  readonly id: string;
  readonly name: string;
  readonly org: string;
  readonly network: string;
  /** Not seen by reads before, in milliseconds since 1970. */
  readonly visibleAt: number;
  readonly volumes: Map<string, FakeVolume>;
  readonly addresses: Map<string, FakeAddress>;
  readonly certificates: Map<string, FakeCertificate>;
  readonly secrets: Map<string, FakeSecret>;
  secretsVersion: number;
  readonly machines: Map<string, FakeMachine>;
  readonly log: FakeLogEntry[];
}

export interface FakeVolume {
  readonly id: string;
  readonly name: string;
  readonly region: string;
  sizeGb: number;
  /** The volume it was copied from. */
  readonly source: string | undefined;
  readonly createdAt: string;
  readonly visibleAt: number;
  attachedMachine: string | undefined;
}

export interface FakeAddress {
  readonly ip: string;
  readonly type: 'v4' | 'v6' | 'shared_v4' | 'private_v6';
  readonly region: string;
  readonly createdAt: string;
  readonly visibleAt: number;
}

export interface FakeCertificate {
  readonly hostname: string;
  readonly createdAt: string;
  /** Whether the records that the certificate needs were found. */
  configured: boolean;
}

export interface FakeSecret {
  readonly value: string;
  readonly createdAt: string;
  readonly updatedAt: string;
}

export interface FakeEvent {
  readonly id: string;
  readonly type: string;
  readonly status: string;
  readonly source: 'user' | 'flyd';
  readonly timestamp: number;
  readonly request?: unknown;
}

export interface FakeMachine {
  readonly id: string;
  readonly name: string;
  readonly region: string;
  readonly createdAt: string;
  readonly visibleAt: number;
  readonly privateIp: string;
  instanceId: string;
  config: MachineConfig;
  state: 'created' | 'starting' | 'started' | 'stopping' | 'stopped' | 'failed' | 'destroying' | 'destroyed';
  /** Done when it runs, or cannot. */
  launch: Promise<void>;
  /** `host:port` where it really runs, when there is a runner. */
  address: string | undefined;
  lease: FakeLease | undefined;
  readonly events: FakeEvent[];
}

export interface FakeLease {
  readonly nonce: string;
  readonly expiresAt: number;
  readonly owner: string;
  readonly description: string;
}

export interface FakeLogEntry {
  readonly id: number;
  readonly timestamp: string;
  readonly message: string;
  readonly level: 'info' | 'error';
  readonly instance: string;
  readonly region: string;
}
