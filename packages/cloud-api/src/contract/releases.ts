import * as z from 'zod/mini';
import { deployResponseSchema } from './deploy.ts';
import { endpoint } from './endpoint.ts';
import { maybe } from './schema.ts';

/** One deploy of a tenant: what it ran, with which secrets, and what became of it. */
export interface Release {
  /** Also the id of the deploy while it goes on. */
  readonly id: string;
  /** Counts the tenant's deploys from 1. */
  readonly number: number;
  /** `registry/repository:tag` that was deployed. */
  readonly image: string;
  /** The digest that ran or runs, wherever the tag points by now. */
  readonly digest: string;
  /**
   * `running`: what the tenant runs; `superseded`: it ran until another release took its place; `image_removed`: so it did,
   * and cannot be brought back any more, since its image is not kept.
   */
  readonly status: 'deploying' | 'running' | 'failed' | 'superseded' | (string & {});
  /** RFC 3339. */
  readonly createdAt: string;
  /** RFC 3339; absent while the deploy goes on. */
  readonly finishedAt?: string | undefined;
  /** E-mail address of who deployed it. */
  readonly createdBy?: string | undefined;
  /** Why it failed, one line. */
  readonly failure?: string | undefined;
  /** The last lines of a machine that failed, oldest first; only from `get`. */
  readonly logLines?: readonly string[] | undefined;
  /** The version of the secrets that its machine gets. */
  readonly secretsVersion: number;
  /** Number of the release that this one brought back. */
  readonly rollbackOf?: number | undefined;
}

/** What to bring back. */
export interface RollbackRequest {
  /** Number of the release. @defaultValue the one that ran before */
  readonly release?: number | undefined;
  /** Number of the release that must still be running, 0 for none: else the rollback is refused. */
  readonly expectedRelease?: number | undefined;
}

/** The key for {@link DiffSecretsRequest}: the tenant's own, and of no use for anything else. */
export interface SecretDigestKey {
  /** base64. */
  readonly key: string;
}

/** What the secrets are to be, as digests: values never travel for a comparison. */
export interface DiffSecretsRequest {
  /** For each name the HMAC-SHA256 of `name`, a zero byte and the value, in hex. */
  readonly secrets: Readonly<Record<string, string>>;
  /** Whether names that are not here are to be removed. @defaultValue false */
  readonly prune?: boolean | undefined;
}

/** What a deploy with these secrets changes against the machine that runs; names only, sorted. */
export interface SecretsDiff {
  /** Names that the machine does not have. */
  readonly added: readonly string[];
  /** Names that it has with another value. */
  readonly changed: readonly string[];
  /** Names that it has, and will not have. */
  readonly removed: readonly string[];
  /** Names that are set, but not in the request. */
  readonly remoteOnly: readonly string[];
  /** The version of the tenant's secrets now; it rises with every change of them. */
  readonly version: number;
}

const releaseSchema: z.ZodMiniType<Release> = z.object({
  id: z.string(),
  number: z.int(),
  image: z.string(),
  digest: z.string(),
  status: z.string(),
  createdAt: z.string(),
  finishedAt: maybe(z.string()),
  createdBy: maybe(z.string()),
  failure: maybe(z.string()),
  logLines: maybe(z.array(z.string()) as z.ZodMiniType<readonly string[]>),
  secretsVersion: z.int(),
  rollbackOf: maybe(z.int()),
});

const rollbackRequestSchema: z.ZodMiniType<RollbackRequest> = z.strictObject({
  release: z.optional(z.int().check(z.minimum(1), z.maximum(2_147_483_647))),
  expectedRelease: z.optional(z.int().check(z.minimum(0), z.maximum(2_147_483_647))),
});

const secretDigestKeySchema: z.ZodMiniType<SecretDigestKey> = z.object({ key: z.string() });

const diffSecretsRequestSchema: z.ZodMiniType<DiffSecretsRequest> = z.strictObject({
  secrets: z.record(z.string(), z.string().check(z.regex(/^[0-9a-f]{64}$/))),
  prune: z.optional(z.boolean()),
});

const secretsDiffSchema: z.ZodMiniType<SecretsDiff> = z.object({
  added: z.array(z.string()),
  changed: z.array(z.string()),
  removed: z.array(z.string()),
  remoteOnly: z.array(z.string()),
  version: z.int(),
});

export const listReleases = endpoint({
  summary: "A tenant's last 100 releases, the newest first.",
  method: 'GET',
  path: '/api/v1/tenants/{id}/releases',
  auth: 'bearer',
  envelope: 'data',
  idempotent: true,
  response: z.array(releaseSchema) as z.ZodMiniType<readonly Release[]>,
});

export const getRelease = endpoint({
  summary: 'One release, by its id or number, with the last lines of a machine that failed.',
  method: 'GET',
  path: '/api/v1/tenants/{id}/releases/{release}',
  auth: 'bearer',
  envelope: 'data',
  idempotent: true,
  response: releaseSchema,
});

export const rollback = endpoint({
  summary: 'Brings back the image and the secrets of an earlier release, as a new release.',
  method: 'POST',
  path: '/api/v1/tenants/{id}/rollback',
  auth: 'bearer',
  envelope: 'data',
  idempotent: false,
  request: rollbackRequestSchema,
  response: deployResponseSchema,
});

export const getSecretDigestKey = endpoint({
  summary: "The key by which the values of a tenant's secrets are compared.",
  method: 'GET',
  path: '/api/v1/tenants/{id}/secrets/digest-key',
  auth: 'bearer',
  envelope: 'data',
  idempotent: true,
  response: secretDigestKeySchema,
});

export const diffSecrets = endpoint({
  summary: 'What a deploy with these secrets would change, by digests of their values.',
  method: 'POST',
  path: '/api/v1/tenants/{id}/secrets/diff',
  auth: 'bearer',
  envelope: 'data',
  idempotent: true,
  request: diffSecretsRequestSchema,
  response: secretsDiffSchema,
});
