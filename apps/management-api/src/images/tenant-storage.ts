import type { DiskRegistryStorage, RegistryStorage } from '@sp/oci';
import { publicRepository, storageRepository } from './tenant-repository.ts';

/** One tenant's view of the registry's storage: the public repository is the tenant's own, and there is no other. */
export function tenantStorage(storage: DiskRegistryStorage, tenantId: string): Required<RegistryStorage> {
  const own = (repository: string): string => {
    // The decision about the request comes first; this holds even if it should be wrong.
    if (repository !== publicRepository) throw new Error(`No repository ${repository} for ${tenantId}`);
    return storageRepository(tenantId);
  };
  const { uploads } = storage;
  return {
    blobs: storage.blobs,
    uploads: {
      create: (repository) => uploads.create(own(repository)),
      get: (repository, id) => uploads.get(own(repository), id),
      write: (repository, id, content) => uploads.write(own(repository), id, content),
      complete: (repository, id, digest) => uploads.complete(own(repository), id, digest),
      delete: (repository, id) => uploads.delete(own(repository), id),
    },
    resolve: (repository, reference) => storage.resolve(own(repository), reference),
    readManifest: (repository, reference) => storage.readManifest(own(repository), reference),
    writeManifest: (repository, manifest) => storage.writeManifest(own(repository), manifest),
    hasBlob: (repository, digest) => storage.hasBlob(own(repository), digest),
    linkBlob: (repository, digest) => storage.linkBlob(own(repository), digest),
    listTags: (repository) => storage.listTags(own(repository)),
    listReferrers: (repository, subject) => storage.listReferrers(own(repository), subject),
    deleteManifest: (repository, digest) => storage.deleteManifest(own(repository), digest),
    deleteTag: (repository, tag) => storage.deleteTag(own(repository), tag),
    unlinkBlob: (repository, digest) => storage.unlinkBlob(own(repository), digest),
  };
}
