import type { Digest } from './digest.ts';

/** Why an operation of this package failed. Codes are stable; messages are not. */
export type OciErrorCode =
  | 'SP_OCI_PATH'
  | 'SP_OCI_SOURCE'
  | 'SP_OCI_FILE_CHANGED'
  | 'SP_OCI_BLOB_UNKNOWN'
  | 'SP_OCI_DIGEST_MISMATCH'
  | 'SP_OCI_STORAGE'
  | 'SP_OCI_REFERENCE'
  | 'SP_OCI_DOCUMENT'
  | 'SP_OCI_TOO_LARGE'
  | 'SP_OCI_MEDIA_TYPE'
  | 'SP_OCI_PLATFORM'
  | 'SP_OCI_NETWORK'
  | 'SP_OCI_UNAUTHORIZED'
  | 'SP_OCI_DENIED'
  | 'SP_OCI_NOT_FOUND'
  | 'SP_OCI_REGISTRY';

/** The facts an {@link OciError} may carry besides its code. */
export interface OciErrorFacts {
  /** HTTP status that the registry or its token server answered. */
  readonly status?: number | undefined;
  /** `host[:port]` of the registry. */
  readonly registry?: string | undefined;
  /** Repository inside the registry. */
  readonly repository?: string | undefined;
  /** The error code in the registry's own answer, for example `DENIED`. */
  readonly registryCode?: string | undefined;
  /** The content that the failure is about. */
  readonly digest?: Digest | undefined;
  /** A path on disk or inside a layer. */
  readonly path?: string | undefined;
  /** Whether the same call may succeed later without a change. */
  readonly retryable?: boolean | undefined;
  /** Milliseconds that the registry asked to wait before a retry. */
  readonly retryAfterMilliseconds?: number | undefined;
}

const brand = Symbol.for('@sp/oci.error');

/** The only error class of this package: branch on `code`, read the facts from the fields. */
export class OciError extends Error implements OciErrorFacts {
  /** Always `OciError`. */
  override readonly name = 'OciError';
  /** Why it failed; switch on it. */
  readonly code: OciErrorCode;
  /** {@inheritDoc OciErrorFacts.status} */
  readonly status: number | undefined;
  /** {@inheritDoc OciErrorFacts.registry} */
  readonly registry: string | undefined;
  /** {@inheritDoc OciErrorFacts.repository} */
  readonly repository: string | undefined;
  /** {@inheritDoc OciErrorFacts.registryCode} */
  readonly registryCode: string | undefined;
  /** {@inheritDoc OciErrorFacts.digest} */
  readonly digest: Digest | undefined;
  /** {@inheritDoc OciErrorFacts.path} */
  readonly path: string | undefined;
  /** {@inheritDoc OciErrorFacts.retryable} */
  readonly retryable: boolean;
  /** {@inheritDoc OciErrorFacts.retryAfterMilliseconds} */
  readonly retryAfterMilliseconds: number | undefined;

  constructor(code: OciErrorCode, message: string, facts: OciErrorFacts & { readonly cause?: unknown } = {}) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.code = code;
    this.status = facts.status;
    this.registry = facts.registry;
    this.repository = facts.repository;
    this.registryCode = facts.registryCode;
    this.digest = facts.digest;
    this.path = facts.path;
    this.retryable = facts.retryable ?? false;
    this.retryAfterMilliseconds = facts.retryAfterMilliseconds;
    Object.defineProperty(this, brand, { value: true });
  }
}

/** Whether `value` is an {@link OciError}, also one from another copy of this package. */
export function isOciError(value: unknown): value is OciError {
  return typeof value === 'object' && value !== null && (value as Record<symbol, unknown>)[brand] === true;
}
