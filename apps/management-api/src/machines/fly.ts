import { createRegistryClient } from '@sp/oci';
import type { Logger } from 'pino';
import type { ImageSource } from '../images/image-source.ts';
import type { Certificates } from '../ports/certificates.ts';
import type { Machines } from '../ports/machines.ts';
import { createFlyApi } from './fly/fly-api.ts';
import { flyCertificates } from './fly/fly-certificates.ts';
import type { FlyContext } from './fly/fly-context.ts';
import { flyMachines } from './fly/fly-driver.ts';

/** Options of {@link createFly}. */
export interface FlyOptions {
  /** A token of the organization; it is sent to Fly.io and found nowhere else. */
  readonly token: string;
  /** The slug of the organization in which the apps are made. */
  readonly organization: string;
  /** The built-in registry's storage, from which images are copied to Fly.io's. */
  readonly images: ImageSource;
  readonly logger: Pick<Logger, 'info' | 'warn'>;
  /** The host name by which machines reach the Postgres server. */
  readonly databaseHost: string;
  /** Where the volume is in a machine. @defaultValue '/data' */
  readonly volumePath?: string | undefined;
  /** The Machines API. @defaultValue 'https://api.machines.dev' */
  readonly machinesUrl?: string | undefined;
  /** The API that has the logs. @defaultValue 'https://api.fly.io' */
  readonly logsUrl?: string | undefined;
  /** `host[:port]` of Fly.io's registry. @defaultValue 'registry.fly.io' */
  readonly registry?: string | undefined;
  /** Where a machine is reached from the control plane. @defaultValue the app's own name at fly.dev, which leads to any machine that is healthy */
  readonly addressOf?: FlyContext['addressOf'] | undefined;
  /** @defaultValue the global `fetch` */
  readonly fetch?: typeof fetch | undefined;
  /** How long one request may take, in milliseconds. @defaultValue 30000 */
  readonly requestTimeoutMs?: number | undefined;
  /** How long a call may take with all its repetitions, in milliseconds. @defaultValue 120000 */
  readonly deadlineMs?: number | undefined;
  /** How long something new may be missing from what is read, in milliseconds. @defaultValue 15000 */
  readonly settleMs?: number | undefined;
  /** How many times the usual rate limits Fly.io allows the organization: it raises them on request. @defaultValue 1 */
  readonly rateFactor?: number | undefined;
}

/**
 * Fly.io over its HTTP APIs, within their rate limits: machines, and certificates for tenants' own host names.
 * @throws {MachineError} `SP_MACHINE_FLY_TOKEN` when the token cannot be one
 */
export function createFly(options: FlyOptions): { readonly machines: Machines; readonly certificates: Certificates } {
  const { logger, databaseHost } = options;
  const context = openFly(options);
  return { machines: flyMachines(context, { logger, databaseHost }), certificates: flyCertificates(context) };
}

function openFly(options: FlyOptions): FlyContext {
  const { token, organization, images, volumePath = '/data', registry = 'registry.fly.io' } = options;
  const { machinesUrl = 'https://api.machines.dev', logsUrl = 'https://api.fly.io', fetch: send = fetch } = options;
  const { requestTimeoutMs = 30_000, deadlineMs = 120_000, settleMs = 15_000, rateFactor = 1 } = options;
  const { addressOf = ({ appName }) => `${appName}.fly.dev:443` } = options;
  return {
    api: createFlyApi({ token, fetch: send, requestTimeoutMs, deadlineMs, settleMs, rateFactor }),
    machinesUrl: `${machinesUrl}/v1`,
    logsUrl: `${logsUrl}/api/v1`,
    organization,
    registry,
    // Any name does.
    registryClient: createRegistryClient({ registry, username: 'x', password: token }),
    images,
    volumePath,
    addressOf,
  };
}
