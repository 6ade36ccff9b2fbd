import * as z from 'zod/mini';
import { endpoint } from './endpoint.ts';
import { maybe } from './schema.ts';

/** Where a tenant's image goes, and the right to put it there: one repository and one tag, for minutes. */
export interface RegistryToken {
  /** `host[:port]`. */
  readonly registry: string;
  /** For the registry's login, with `token` as the password. */
  readonly username: string;
  /** A secret. Works for minutes, and for the one repository and tag below. */
  readonly token: string;
  /** The repository without host and tag. */
  readonly repository: string;
  /** `tenant-<id>`; the registry refuses any other. */
  readonly tag: string;
}

/** What to run. */
export interface DeployRequest {
  /** Exactly `registry/repository:tag` of the registry token. */
  readonly image: string;
  /** The digest that was pushed; the deploy is refused when the tag points elsewhere by now. */
  readonly digest?: string | undefined;
  /** Number of the release that must still be running, 0 for none: else the deploy is refused. */
  readonly expectedRelease?: number | undefined;
}

/** How the deploy stands when the answer is sent. */
export interface DeployResponse {
  /** `running`: healthy at `appUrl`; `deploying`: follow the tenant's status; `failed`: see `message`. */
  readonly status: 'running' | 'deploying' | 'failed' | (string & {});
  /** The tenant's page, with `running`. */
  readonly appUrl?: string | undefined;
  /** Why it failed, one line. */
  readonly message?: string | undefined;
  /** The release that the deploy made. */
  readonly releaseId?: string | undefined;
  /** The digest that runs. */
  readonly digest?: string | undefined;
}

const registryTokenSchema: z.ZodMiniType<RegistryToken> = z.object({
  registry: z.string(),
  username: z.string(),
  token: z.string(),
  repository: z.string(),
  tag: z.string(),
});

const deployRequestSchema: z.ZodMiniType<DeployRequest> = z.strictObject({
  image: z.string().check(z.minLength(1), z.maxLength(512)),
  digest: z.optional(z.string().check(z.regex(/^sha256:[0-9a-f]{64}$/))),
  expectedRelease: z.optional(z.int().check(z.minimum(0), z.maximum(2_147_483_647))),
});

export const deployResponseSchema: z.ZodMiniType<DeployResponse> = z.object({
  status: z.string(),
  appUrl: maybe(z.string()),
  message: maybe(z.string()),
  releaseId: maybe(z.string()),
  digest: maybe(z.string()),
});

export const getRegistryToken = endpoint({
  summary: "A short-lived login to the registry for the tenant's own tag.",
  method: 'GET',
  path: '/api/v1/tenants/{id}/registry-token',
  auth: 'bearer',
  envelope: 'data',
  idempotent: true,
  response: registryTokenSchema,
});

export const createDeploy = endpoint({
  summary: "Runs the image behind the tenant's tag and waits for its health, up to the server's patience.",
  method: 'POST',
  path: '/api/v1/tenants/{id}/deploy',
  auth: 'bearer',
  envelope: 'data',
  idempotent: false,
  request: deployRequestSchema,
  response: deployResponseSchema,
});
