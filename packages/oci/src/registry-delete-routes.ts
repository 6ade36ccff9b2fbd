import type { Digest } from './digest.ts';
import { answer, errorAnswer } from './registry-answer.ts';
import type { RegistryStorage } from './registry-storage.ts';

/** DELETE of a blob: it is no longer in the repository. */
export async function deleteBlob(
  storage: RegistryStorage,
  { repository, digest }: { readonly repository: string; readonly digest: Digest },
): Promise<Response> {
  if (await storage.unlinkBlob?.(repository, digest)) return answer(202, { 'content-length': '0' });
  return errorAnswer(404, { code: 'BLOB_UNKNOWN', message: 'no such blob in this repository', detail: { digest } });
}

/** DELETE of a tag, or of a manifest with all its tags. */
export async function deleteManifest(
  storage: RegistryStorage,
  target: { readonly repository: string; readonly tag?: string | undefined; readonly digest?: Digest | undefined },
): Promise<Response> {
  const { repository, tag, digest } = target;
  const deleted =
    digest === undefined
      ? tag !== undefined && (await storage.deleteTag?.(repository, tag))
      : await storage.deleteManifest?.(repository, digest);
  if (deleted) return answer(202, { 'content-length': '0' });
  const detail = { reference: digest ?? tag };
  return errorAnswer(404, { code: 'MANIFEST_UNKNOWN', message: 'no such manifest in this repository', detail });
}
