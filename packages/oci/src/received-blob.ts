import { algorithmOf, createDigester, type Digest } from './digest.ts';
import type { OciError } from './error.ts';
import type { TransportResponse } from './transport.ts';

/** The stream of a blob, failing at its end when the content is not what was asked for. */
export function verifiedBlob(
  body: ReadableStream<Uint8Array>,
  options: {
    readonly digest: Digest;
    /** Makes the error of a connection that broke. */
    readonly failure: (error: unknown) => OciError;
    /** Makes the error of other content. */
    readonly mismatch: (expected: Digest, actual: Digest) => OciError;
  },
): ReadableStream<Uint8Array> {
  const { digest, failure, mismatch } = options;
  const digester = createDigester(algorithmOf(digest));
  const reader = body.getReader();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const next = await reader.read().catch((error: unknown) => {
          throw failure(error);
        });
        if (!next.done) {
          digester.update(next.value);
          controller.enqueue(next.value);
          return;
        }
        const actual = digester.digest();
        if (actual !== digest) throw mismatch(digest, actual);
        controller.close();
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}

/** What a registry gives that cares for no ranges, or begins earlier: the first `bytes` are let go. */
export function withoutBeginning(
  body: ReadableStream<Uint8Array>,
  options: { readonly bytes: number; readonly failure: (error: unknown) => OciError },
): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  let left = options.bytes;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        for (;;) {
          const next = await reader.read().catch((error: unknown) => {
            throw options.failure(error);
          });
          if (next.done) return controller.close();
          const part = next.value.subarray(Math.min(left, next.value.byteLength));
          left -= next.value.byteLength - part.byteLength;
          if (part.byteLength > 0) return controller.enqueue(part);
        }
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}

/** Where a partial answer begins; `undefined` when it does not say. */
export function rangeStart(response: TransportResponse): number | undefined {
  const start = /^bytes (\d+)-/.exec(response.headers.get('content-range') ?? '')?.[1];
  return start === undefined ? undefined : Number(start);
}
