import type { Digest } from './digest.ts';
import { mediaTypes } from './media-types.ts';
import { answer } from './registry-answer.ts';
import type { RegistryStorage } from './registry-storage.ts';

/** GET of the manifests that are about another one. Also of one that nobody pushed: it may still come. */
export async function listReferrers(
  storage: RegistryStorage,
  target: { readonly repository: string; readonly digest: Digest; readonly url: URL },
): Promise<Response> {
  const { repository, digest, url } = target;
  const all = (await storage.listReferrers?.(repository, digest)) ?? [];
  const artifactType = url.searchParams.get('artifactType');
  const manifests = artifactType === null ? all : all.filter((one) => one.artifactType === artifactType);
  const filtered: Record<string, string> = artifactType === null ? {} : { 'oci-filters-applied': 'artifactType' };
  const body = JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.index, manifests });
  return answer(200, { 'content-type': mediaTypes.index, ...filtered }, body);
}
