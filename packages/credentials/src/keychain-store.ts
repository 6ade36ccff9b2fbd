import { type CloudCredentials, parseStoredCredentials, toStoredCredentials } from './cloud-credentials.ts';
import { type CredentialsStore, createFileStore } from './credentials-store.ts';
import { parseJson } from './json.ts';

/** One secret of the system's keychain, as `@napi-rs/keyring` gives it. */
export interface KeychainEntry {
  /** What is stored; nothing when there is no entry. */
  getPassword(): string | null | undefined;
  /** Stores it in place of what was there. */
  setPassword(password: string): void;
  /** Takes the entry away, if there is one. */
  deletePassword(): boolean | void;
}

/** Opens the entry of a service and an account. */
export type OpenKeychainEntry = (service: string, account: string) => KeychainEntry | Promise<KeychainEntry>;

/** Which entry to use, and the file for where there is no keychain. */
export interface KeychainStoreOptions {
  /** The name that the keychain shows to people, such as the program's. */
  readonly service: string;
  /**
   * The name of the entry; several logins need several.
   *
   * @defaultValue 'default'
   */
  readonly account?: string | undefined;
  /** The credential file, used when the keychain cannot be. */
  readonly path: string;
  /**
   * Opens the keychain.
   *
   * @defaultValue `@napi-rs/keyring`, where it is installed
   */
  readonly openEntry?: OpenKeychainEntry | undefined;
}

/**
 * Credentials in the system's keychain. Where there is none (the library is not installed, the keychain is locked, or
 * there is no desktop) everything goes to the file instead, without a word; a later save that works takes them out of
 * the file again.
 *
 * @example
 * const store = createKeychainStore({ service: 'systemprompt', path: '/site/.systemprompt/credentials.json' });
 */
export function createKeychainStore(options: KeychainStoreOptions): CredentialsStore {
  const { service, account = 'default', path, openEntry = openSystemEntry } = options;
  const file = createFileStore(path);

  /** What is done with the entry, or `undefined` when the keychain cannot be used. */
  async function withEntry<T>(use: (entry: KeychainEntry) => T): Promise<{ readonly result: T } | undefined> {
    try {
      return { result: use(await openEntry(service, account)) };
    } catch {
      return undefined;
    }
  }

  return {
    load: async () => {
      const kept = parseEntry((await withEntry((entry) => entry.getPassword()))?.result);
      if (kept === undefined) return file.load();
      // A file is only there when a later save could not use the keychain, or from before there was one.
      const fromFile = await file.load().catch(() => undefined);
      return fromFile !== undefined && fromFile.authenticatedAt > kept.authenticatedAt ? fromFile : kept;
    },
    save: async (credentials) => {
      const text = JSON.stringify(toStoredCredentials(credentials));
      // Held to the same rules as the file.
      const kept = parseEntry(text) && (await withEntry((entry) => entry.setPassword(text)));
      if (kept === undefined) return file.save(credentials);
      await file.delete();
    },
    delete: async () => {
      const kept = await withEntry((entry) => entry.getPassword() != null && entry.deletePassword() !== false);
      const fromFile = await file.delete();
      return kept?.result === true || fromFile;
    },
  };
}

/** An entry that somebody else wrote is as good as none. */
function parseEntry(text: string | null | undefined): CloudCredentials | undefined {
  return text == null ? undefined : parseStoredCredentials(parseJson(text)).credentials;
}

async function openSystemEntry(service: string, account: string): Promise<KeychainEntry> {
  // In a variable, so that neither the compiler nor a bundler wants to have it: it is for those who install it.
  const specifier: string = '@napi-rs/keyring';
  const { Entry } = (await import(specifier)) as { Entry: new (service: string, account: string) => KeychainEntry };
  return new Entry(service, account);
}
