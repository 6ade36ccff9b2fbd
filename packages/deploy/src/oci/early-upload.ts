import type { RegistryToken } from '@sp/cloud-api';
import { type BlobStore, createRegistryClient, type Descriptor, type PushEvent } from '@sp/oci';

/** Sends layers while others are still being made. Nothing leads to them before the push. */
export interface EarlyUpload {
  /** Begins to send a layer. */
  send(layer: Descriptor): void;
  /**
   * Waits for what is on its way; how many bytes the registry did not have. What did not arrive is left to the push, which
   * says why.
   *
   * @param onProgress gets what happens from now on
   */
  finish(onProgress: (event: PushEvent) => void): Promise<number>;
  /** Gives up what is on its way. */
  stop(): Promise<void>;
}

/** How {@link createEarlyUpload} sends. */
export interface EarlyUploadOptions {
  /** Where the layers are. */
  readonly blobs: BlobStore;
  readonly signal?: AbortSignal | undefined;
}

export function createEarlyUpload(target: RegistryToken, { blobs, signal }: EarlyUploadOptions): EarlyUpload {
  const { registry, repository, username, token } = target;
  // Once is enough: the push tries again, and longer.
  const client = createRegistryClient({
    registry,
    username,
    password: token,
    retries: 0,
    idleTimeoutMilliseconds: 20_000,
  });
  const controller = new AbortController();
  const stopped = signal === undefined ? controller.signal : AbortSignal.any([controller.signal, signal]);
  let report: (event: PushEvent) => void = () => {};
  const sending: Promise<number>[] = [];
  const send = async (layer: Descriptor): Promise<number> => {
    try {
      const onProgress = (event: PushEvent): void => report(event);
      const { uploaded } = await client.pushBlob(layer, { repository, blobs: [blobs], onProgress, signal: stopped });
      return uploaded ? layer.size : 0;
    } catch {
      return 0;
    }
  };
  const settle = async (): Promise<number> => (await Promise.all(sending)).reduce((sum, bytes) => sum + bytes, 0);
  return {
    send: (layer) => void sending.push(send(layer)),
    finish(onProgress) {
      report = onProgress;
      return settle();
    },
    async stop() {
      controller.abort();
      await settle();
    },
  };
}
