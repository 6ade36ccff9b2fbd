import type { Descriptor } from './descriptor.ts';
import { algorithmOf, type Digest, digestOf, isDigest } from './digest.ts';
import { OciError } from './error.ts';
import { readAll } from './file-read.ts';
import { maximumDocumentSize, type OciImage } from './image.ts';
import { manifestMediaTypes, mediaTypes } from './media-types.ts';
import {
  type PushBlobOptions,
  type PushContext,
  type PushImageOptions,
  type PushResult,
  pushBlobs,
  pushImage,
} from './push-image.ts';
import { rangeStart, verifiedBlob, withoutBeginning } from './received-blob.ts';
import { isRepositoryName, isTag } from './reference.ts';
import { createRegistryAuth } from './registry-auth.ts';
import { networkFailure } from './registry-failure.ts';
import { registryOrigin } from './registry-origin.ts';
import { createRequester, type RegistryRequest } from './registry-request.ts';
import { withRetry } from './retry.ts';
import { createSentBlobs } from './sent-blobs.ts';
import { createFetchTransport, createHttpTransport, type TransportResponse } from './transport.ts';

/** Options of {@link createRegistryClient}. */
export interface RegistryClientOptions {
  /** `host[:port]`; `docker.io` is Docker Hub. */
  readonly registry: string;
  /** Name for the login; counts only with a password. */
  readonly username?: string | undefined;
  /** Password or token; a function is called whenever one is needed. Without it the client is anonymous. */
  readonly password?: string | (() => string | Promise<string>) | undefined;
  /**
   * What `docker login` keeps for registries that give tokens for passwords: exchanged for a token of each scope at the
   * registry's token server (OAuth's refresh grant), instead of a password.
   */
  readonly identityToken?: string | (() => string | Promise<string>) | undefined;
  /** The way to the registry. @defaultValue node:http and node:https, which start much faster than the global `fetch` */
  readonly fetch?: typeof fetch | undefined;
  /** Plain HTTP. @defaultValue true for 127.0.0.1, [::1], localhost and *.localhost */
  readonly insecure?: boolean | undefined;
  /** Header `User-Agent`. @defaultValue none */
  readonly userAgent?: string | undefined;
  /** Attempts after the first one, when the connection fails or the registry is in trouble. @defaultValue 3 */
  readonly retries?: number | undefined;
  /** Longest pause before the first retry, in milliseconds; doubles with each. @defaultValue 500 */
  readonly retryDelayMilliseconds?: number | undefined;
  /** How long a connection may stay silent, in milliseconds. There is no limit for a whole request. @defaultValue 60 000 */
  readonly idleTimeoutMilliseconds?: number | undefined;
}

/** Options of a single call. */
export interface RegistryCallOptions {
  /** Gives up the call. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of {@link RegistryClient.getBlob}. */
export interface GetBlobOptions extends RegistryCallOptions {
  /** The first byte that is wanted, of one that was cut; what comes is a part, and not verified. @defaultValue 0 */
  readonly start?: number | undefined;
}

/** One registry. Every method throws {@link OciError}: `SP_OCI_NETWORK`, `SP_OCI_UNAUTHORIZED`, `SP_OCI_DENIED`, `SP_OCI_REGISTRY`. */
export interface RegistryClient {
  /** What a tag or digest stands for, or `undefined` when the registry does not know it. */
  resolve(repository: string, reference: string, options?: RegistryCallOptions): Promise<Descriptor | undefined>;
  /** A manifest, verified. @throws {@link OciError} `SP_OCI_NOT_FOUND`, `SP_OCI_DIGEST_MISMATCH` */
  getManifest(
    repository: string,
    reference: string,
    options?: RegistryCallOptions,
  ): Promise<{ readonly bytes: Uint8Array; readonly descriptor: Descriptor }>;
  /** A blob. The stream fails with `SP_OCI_DIGEST_MISMATCH` at its end when the content is another. @throws {@link OciError} `SP_OCI_NOT_FOUND` */
  getBlob(repository: string, digest: Digest, options?: GetBlobOptions): Promise<ReadableStream<Uint8Array>>;
  /** Sends the blobs that the registry does not have, then the manifest. Safe to repeat. @throws {@link OciError} `SP_OCI_BLOB_UNKNOWN` when a blob is nowhere */
  pushImage(image: OciImage, options: PushImageOptions): Promise<PushResult>;
  /**
   * Sends one blob unless the registry has it: a layer, while others are still being made. Nothing leads to it before
   * `pushImage`.
   *
   * @throws {@link OciError} `SP_OCI_BLOB_UNKNOWN` when it is nowhere
   */
  pushBlob(blob: Descriptor, options: PushBlobOptions): Promise<{ readonly uploaded: boolean }>;
}

interface ManifestCall extends RegistryCallOptions {
  readonly actions?: RegistryRequest['actions'];
  /** Not sent when it is this one. */
  readonly unless?: Digest | undefined;
}

interface FetchedManifest {
  readonly bytes: Uint8Array;
  readonly descriptor: Descriptor;
}

/**
 * Makes a client of one registry. Nothing is sent before the first call; the registry says how it wants to be logged
 * in to (token server or Basic).
 *
 * @throws {@link OciError} `SP_OCI_REFERENCE` when `registry` is not `host[:port]`
 */
export function createRegistryClient(options: RegistryClientOptions): RegistryClient {
  const { registry, username, password, identityToken, userAgent, idleTimeoutMilliseconds = 60_000 } = options;
  const { retries = 3, retryDelayMilliseconds: delayMilliseconds = 500 } = options;
  const origin = registryOrigin(registry, options.insecure);
  const transport = options.fetch === undefined ? createHttpTransport() : createFetchTransport(options.fetch);
  const auth = createRegistryAuth({
    registry,
    origin,
    username,
    password,
    identityToken,
    transport,
    idleTimeoutMilliseconds,
  });
  const request = createRequester({ registry, origin, auth, transport, userAgent, idleTimeoutMilliseconds });

  const manifest = async (
    method: 'GET' | 'HEAD',
    repository: string,
    reference: string,
    { signal, actions = 'pull', unless }: ManifestCall,
  ): Promise<TransportResponse> => {
    checkNames(repository, reference);
    const call: RegistryRequest = {
      method,
      url: `/v2/${repository}/manifests/${reference}`,
      repository,
      actions,
      headers: {
        accept: manifestMediaTypes.join(', '),
        ...(unless === undefined ? {} : { 'if-none-match': `"${unless}"` }),
      },
      expected: unless === undefined ? [200] : [200, 304],
      attempt: `Cannot get ${repository}:${reference}`,
      signal,
    };
    return request(call);
  };

  const getManifest = (repository: string, reference: string, call: ManifestCall): Promise<FetchedManifest> =>
    withRetry(
      async () => readManifest(await manifest('GET', repository, reference, call), repository, reference, call),
      {
        retries,
        delayMilliseconds,
        signal: call.signal,
      },
    );

  const readManifest = async (
    response: TransportResponse,
    repository: string,
    reference: string,
    call: ManifestCall,
  ): Promise<FetchedManifest> => {
    const attempt = `Cannot get ${repository}:${reference}`;
    const context = { registry, repository, attempt, redact: auth.redact };
    const bytes = await readAll(response.body ?? emptyBody(), maximumDocumentSize).catch((error: unknown) => {
      call.signal?.throwIfAborted();
      throw networkFailure(error, context);
    });
    if (bytes === undefined) {
      throw new OciError('SP_OCI_REGISTRY', `${attempt} at ${registry}: it is too large`, { registry, repository });
    }
    const announced = isDigest(reference) ? reference : response.headers.get('docker-content-digest');
    const expected = announced !== null && isDigest(announced) ? announced : undefined;
    const digest = digestOf(bytes, expected === undefined ? 'sha256' : algorithmOf(expected));
    if (expected !== undefined && expected !== digest) throw mismatch(expected, digest);
    return { bytes, descriptor: { mediaType: mediaTypeOf(response), digest, size: bytes.byteLength } };
  };

  const resolve = async (
    repository: string,
    reference: string,
    call: ManifestCall,
  ): Promise<Descriptor | undefined> => {
    try {
      const response = await withRetry(() => manifest('HEAD', repository, reference, call), {
        retries,
        delayMilliseconds,
        signal: call.signal,
      });
      const digest = response.headers.get('docker-content-digest') ?? reference;
      const size = Number(response.headers.get('content-length') ?? Number.NaN);
      if (isDigest(digest) && Number.isSafeInteger(size)) return { mediaType: mediaTypeOf(response), digest, size };
      return (await getManifest(repository, reference, call)).descriptor;
    } catch (error) {
      if (error instanceof OciError && error.code === 'SP_OCI_NOT_FOUND') return undefined;
      throw error;
    }
  };

  const pushContext: PushContext = {
    request,
    getManifestUnless: (known, { repository, reference, signal }) => {
      // With the rights of the uploads that follow: one token does for all.
      const call: ManifestCall = { signal, actions: 'pull,push', unless: known };
      const attempt = async (): Promise<FetchedManifest | undefined> => {
        const response = await manifest('GET', repository, reference, call);
        return response.status === 304 ? undefined : readManifest(response, repository, reference, call);
      };
      return withRetry(attempt, { retries, delayMilliseconds, signal });
    },
    sent: createSentBlobs(),
    registry,
    retries,
    delayMilliseconds,
  };

  const client: RegistryClient = {
    resolve: (repository, reference, call = {}) => resolve(repository, reference, call),
    getManifest: (repository, reference, call = {}) => getManifest(repository, reference, call),
    async getBlob(repository, digest, { signal, start = 0 } = {}) {
      checkNames(repository, digest);
      const attempt = `Cannot get blob ${digest} of ${repository}`;
      const url = `/v2/${repository}/blobs/${digest}`;
      const call: RegistryRequest = {
        method: 'GET',
        url,
        repository,
        actions: 'pull',
        ...(start === 0 ? {} : { headers: { range: `bytes=${start}-` } }),
        expected: start === 0 ? [200] : [200, 206],
        attempt,
        signal,
      };
      const response = await withRetry(() => request(call), { retries, delayMilliseconds, signal });
      const failure = (error: unknown): OciError => {
        signal?.throwIfAborted();
        return networkFailure(error, { registry, repository, attempt, redact: auth.redact });
      };
      const body = response.body ?? emptyBody();
      if (start === 0) return verifiedBlob(body, { digest, failure, mismatch });
      const from = response.status === 206 ? rangeStart(response) : 0;
      if (from === undefined || from > start) {
        await body.cancel();
        throw new OciError('SP_OCI_REGISTRY', `${attempt} at ${registry}: it is another part`, {
          registry,
          repository,
        });
      }
      return withoutBeginning(body, { bytes: start - from, failure });
    },
    async pushImage(image, pushOptions) {
      checkNames(pushOptions.repository, pushOptions.reference);
      for (const from of pushOptions.mountFrom ?? []) checkNames(from, pushOptions.reference);
      return pushImage(image, pushOptions, pushContext);
    },
    async pushBlob(blob, pushOptions) {
      const { repository, signal } = pushOptions;
      checkNames(repository, blob.digest);
      for (const from of pushOptions.mountFrom ?? []) checkNames(from, blob.digest);
      let uploaded = false;
      await pushBlobs(
        [blob],
        { ...pushOptions, signal, count: (outcome) => (uploaded = outcome === 'uploaded') },
        pushContext,
      );
      return { uploaded };
    },
  };
  return client;

  function checkNames(repository: string, reference: string): void {
    if (isRepositoryName(repository) && (isTag(reference) || isDigest(reference))) return;
    const name = JSON.stringify(`${repository}:${reference}`);
    throw new OciError('SP_OCI_REFERENCE', `Invalid image reference ${name}`, { registry, repository });
  }

  function mismatch(expected: Digest, actual: Digest): OciError {
    const message = `Content from ${registry} is ${actual}, not ${expected}`;
    return new OciError('SP_OCI_DIGEST_MISMATCH', message, { registry, digest: expected });
  }
}

function mediaTypeOf(response: TransportResponse): string {
  return response.headers.get('content-type')?.split(';', 1)[0]?.trim() || mediaTypes.manifest;
}

function emptyBody(): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({ start: (controller) => controller.close() });
}
