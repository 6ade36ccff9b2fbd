import type { CloudCredentials } from './cloud-credentials.ts';
import { deleteCredentials, loadCredentials, saveCredentials } from './credentials-file.ts';

/** A place for credentials. */
export interface CredentialsStore {
  /** What is stored; `undefined` when nobody is logged in. */
  load(): Promise<CloudCredentials | undefined>;
  /** Stores a login in place of the one before, whole or not at all. */
  save(credentials: CloudCredentials): Promise<void>;
  /** `false` when there were none. */
  delete(): Promise<boolean>;
}

/** The credential file as a store. */
export function createFileStore(path: string): CredentialsStore {
  return {
    load: () => loadCredentials(path),
    save: (credentials) => saveCredentials(path, credentials),
    delete: () => deleteCredentials(path),
  };
}
