import { type Digest, isDigest } from './digest.ts';
import { isOciError } from './error.ts';
import { isRepositoryName } from './reference.ts';
import { answer, errorAnswer } from './registry-answer.ts';
import type { RegistryStorage } from './registry-storage.ts';

/** What the upload endpoints need. */
export interface UploadContext {
  readonly storage: RegistryStorage;
  readonly maximumBytes: number;
  /** Uploads that a request is writing to right now. */
  readonly busy: Set<string>;
  /** Whether the sender of a request may also pull from another repository. */
  readonly mayPull: (access: {
    readonly repository: string;
    readonly digest: Digest;
    readonly request: Request;
  }) => Promise<boolean>;
}

interface UploadTarget {
  readonly request: Request;
  readonly url: URL;
  readonly repository: string;
}

/** POST of an upload: a mount, a whole blob in one request, or the start of an upload. */
export async function startUpload(context: UploadContext, target: UploadTarget): Promise<Response> {
  const { storage } = context;
  const { repository, url } = target;
  const mount = url.searchParams.get('mount');
  if (mount !== null && isDigest(mount) && (await mountBlob(context, { ...target, mount }))) {
    return created(repository, mount);
  }
  const algorithm = url.searchParams.get('digest-algorithm');
  if (algorithm !== null && algorithm !== 'sha256' && algorithm !== 'sha512') {
    return badDigest('the algorithm is not sha256 or sha512');
  }
  const digest = url.searchParams.get('digest');
  if (digest !== null && !isDigest(digest)) return badDigest('not a sha256 or sha512 digest');
  const id = await storage.uploads.create(repository);
  if (digest !== null) return finishUpload(context, { ...target, id });
  return answer(202, { ...progressHeaders(repository, id, 0), 'content-length': '0' });
}

/** Makes a blob of another repository one of this, for those who may pull it there. */
async function mountBlob(
  { storage, mayPull }: UploadContext,
  { request, repository, url, mount }: UploadTarget & { readonly mount: Digest },
): Promise<boolean> {
  if ((await storage.hasBlob(repository, mount)) !== undefined) return true;
  const from = url.searchParams.get('from');
  if (from === null || !isRepositoryName(from)) return false;
  if (!(await mayPull({ repository: from, digest: mount, request }))) return false;
  if ((await storage.hasBlob(from, mount)) === undefined) return false;
  await storage.linkBlob(repository, mount);
  return true;
}

/** PATCH: appends, either a numbered chunk or, as Docker does it, a stream of unknown length. */
export async function appendUpload(context: UploadContext, target: UploadTarget & { id: string }): Promise<Response> {
  const { repository, id } = target;
  return exclusively(context, id, async () => {
    const failure = await receive(context, target);
    if (failure !== undefined) return failure;
    const size = (await context.storage.uploads.get(repository, id)) ?? 0;
    return answer(202, { ...progressHeaders(repository, id, size), 'content-length': '0' });
  });
}

/** PUT: the rest of the content, if any, and the digest that everything must have. */
export async function finishUpload(context: UploadContext, target: UploadTarget & { id: string }): Promise<Response> {
  const { uploads } = context.storage;
  const { repository, id, url } = target;
  const digest = url.searchParams.get('digest') ?? '';
  if (!isDigest(digest)) return badDigest('`digest` is missing or not sha256 or sha512');
  return exclusively(context, id, async () => {
    const failure = await receive(context, target);
    // Whoever was cut off here begins again; only after PATCH do clients go on where they were.
    if (failure?.status === 400) await uploads.delete(repository, id);
    if (failure !== undefined) return failure;
    try {
      await uploads.complete(repository, id, digest);
    } catch (error) {
      if (isOciError(error) && error.code === 'SP_OCI_DIGEST_MISMATCH')
        return badDigest('the content has another digest');
      throw error;
    }
    return created(repository, digest);
  });
}

/** GET: how much has arrived. */
export async function showUpload(
  { storage }: UploadContext,
  { repository, id }: UploadTarget & { id: string },
): Promise<Response> {
  const size = await storage.uploads.get(repository, id);
  return size === undefined ? unknownUpload() : answer(204, progressHeaders(repository, id, size));
}

/** DELETE: gives up. */
export async function cancelUpload(context: UploadContext, target: UploadTarget & { id: string }): Promise<Response> {
  const { uploads } = context.storage;
  const { repository, id } = target;
  return exclusively(context, id, async () => {
    if ((await uploads.get(repository, id)) === undefined) return unknownUpload();
    await uploads.delete(repository, id);
    return answer(204, {});
  });
}

/** Appends the request's body to the upload; an answer means that it was refused. */
async function receive(
  { storage, maximumBytes }: UploadContext,
  { request, repository, id }: UploadTarget & { id: string },
): Promise<Response | undefined> {
  const { uploads } = storage;
  const offset = await uploads.get(repository, id);
  if (offset === undefined) return unknownUpload();
  const chunk = parseContentRange(request.headers.get('content-range'));
  if (chunk === 'invalid' || (chunk !== undefined && chunk.start !== offset)) {
    const error = { code: 'BLOB_UPLOAD_INVALID', message: `the next byte is ${offset}` } as const;
    return errorAnswer(416, error, progressHeaders(repository, id, offset));
  }
  const announced = Number(request.headers.get('content-length') ?? 0);
  let received = 0;
  let problem: 'too-large' | 'cut' | undefined = offset + announced > maximumBytes ? 'too-large' : undefined;
  const content = async function* (): AsyncGenerator<Uint8Array> {
    try {
      for await (const piece of request.body ?? []) {
        if (offset + received + piece.byteLength > maximumBytes) {
          problem = 'too-large';
          return;
        }
        received += piece.byteLength;
        yield piece;
      }
    } catch {
      problem = 'cut';
    }
  };
  if (problem === undefined) await uploads.write(repository, id, content());
  if (problem === 'too-large') {
    await uploads.delete(repository, id);
    return errorAnswer(413, { code: 'SIZE_INVALID', message: `a blob has at most ${maximumBytes} bytes` });
  }
  if (problem === 'cut') {
    return errorAnswer(400, { code: 'BLOB_UPLOAD_INVALID', message: 'the content ended early' });
  }
  if (chunk !== undefined && chunk.end - chunk.start + 1 !== received) {
    return errorAnswer(400, { code: 'SIZE_INVALID', message: 'the content is not as long as Content-Range says' });
  }
  return undefined;
}

/** Two requests writing to one upload would mix their bytes. */
async function exclusively({ busy }: UploadContext, id: string, work: () => Promise<Response>): Promise<Response> {
  if (busy.has(id)) {
    return errorAnswer(409, { code: 'BLOB_UPLOAD_INVALID', message: 'another request is writing to this upload' });
  }
  busy.add(id);
  try {
    return await work();
  } finally {
    busy.delete(id);
  }
}

/** `0-1023`, also with the `bytes ` that some clients write before it. */
function parseContentRange(header: string | null): { start: number; end: number } | 'invalid' | undefined {
  if (header === null) return undefined;
  const match = /^(?:bytes[ =])?([0-9]+)-([0-9]+)(?:\/.*)?$/.exec(header);
  const [start, end] = [Number(match?.[1] ?? Number.NaN), Number(match?.[2] ?? Number.NaN)];
  return end >= start ? { start, end } : 'invalid';
}

function progressHeaders(repository: string, id: string, size: number): Record<string, string> {
  return {
    location: `/v2/${repository}/blobs/uploads/${id}`,
    range: `0-${Math.max(0, size - 1)}`,
    'docker-upload-uuid': id,
  };
}

function created(repository: string, digest: Digest): Response {
  const location = `/v2/${repository}/blobs/${digest}`;
  return answer(201, { location, 'docker-content-digest': digest, 'content-length': '0' });
}

function badDigest(message: string): Response {
  return errorAnswer(400, { code: 'DIGEST_INVALID', message });
}

function unknownUpload(): Response {
  return errorAnswer(404, { code: 'BLOB_UPLOAD_UNKNOWN', message: 'no such upload in this repository' });
}
