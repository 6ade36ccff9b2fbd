import type { RegistryClient } from '@sp/oci';
import type { ImageSource } from '../../images/image-source.ts';
import type { FlyApi } from './fly-api.ts';
import type { FlyMachine } from './fly-wire.ts';

/** What all parts of the driver share. */
export interface FlyContext {
  readonly api: FlyApi;
  /** The Machines API, up to `/v1`. */
  readonly machinesUrl: string;
  /** The API that has the logs. */
  readonly logsUrl: string;
  readonly organization: string;
  /** `host[:port]` of Fly's registry. */
  readonly registry: string;
  readonly registryClient: RegistryClient;
  /** The built-in registry, from which images are copied. */
  readonly images: ImageSource;
  readonly volumePath: string;
  readonly addressOf: (machine: { readonly appName: string; readonly id: string }) => string | undefined;
}

/** What a request is for. */
export interface FlyScope {
  readonly appName: string;
  readonly releaseId?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Markers by which machines are found again. */
export const releaseKey = 'sp_release';
export const tenantKey = 'sp_tenant';

export function releaseOf(machine: FlyMachine): string | undefined {
  return machine.config?.metadata?.[releaseKey];
}

export function appUrl({ machinesUrl }: Pick<FlyContext, 'machinesUrl'>, appName: string): string {
  return `${machinesUrl}/apps/${encodeURIComponent(appName)}`;
}
