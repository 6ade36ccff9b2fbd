import { expect, test } from 'vitest';
import {
  type CloudCredentials,
  type CredentialsStore,
  createFileStore,
  createKeychainStore,
  loadCredentials,
  type OpenKeychainEntry,
  saveCredentials,
} from '../src/index.ts';
import { tempFile } from './temp-file.ts';
import { tokenWith } from './tokens.ts';

const credentials: CloudCredentials = {
  apiToken: tokenWith({ exp: 4_000_000_000 }),
  apiUrl: 'https://api.example',
  authenticatedAt: new Date('2026-11-21T10:11:12.000Z'),
  userEmail: 'ada@example.com',
  refreshToken: 'refresh-1',
};

/** A keychain that can be locked. */
function keychain() {
  const state = { entries: new Map<string, string>(), locked: false };
  const openEntry: OpenKeychainEntry = (service, account) => {
    if (state.locked) throw new Error('locked');
    const name = `${service}/${account}`;
    return {
      getPassword: () => state.entries.get(name) ?? null,
      setPassword: (password) => void state.entries.set(name, password),
      deletePassword: () => state.entries.delete(name),
    };
  };
  return { state, openEntry };
}

const stores: [string, (path: string) => CredentialsStore][] = [
  ['the file', createFileStore],
  ['the keychain', (path) => createKeychainStore({ service: 's', path, openEntry: keychain().openEntry })],
  // The library is not installed here.
  ['the keychain that is not there', (path) => createKeychainStore({ service: 's', path })],
];

test.each(stores)('%s keeps credentials', async (_, create) => {
  const store = create(await tempFile('credentials.json'));
  expect(await store.load()).toBeUndefined();
  await store.save(credentials);
  await store.save({ ...credentials, userEmail: 'grace@example.com' });
  expect(await store.load()).toEqual({ ...credentials, userEmail: 'grace@example.com' });
  await expect(store.save({ ...credentials, apiToken: '' })).rejects.toMatchObject({ code: 'SP_CREDENTIALS_INVALID' });
  expect(await store.delete()).toBe(true);
  expect(await store.delete()).toBe(false);
  expect(await store.load()).toBeUndefined();
});

test('what is in the keychain is not in the file any more', async () => {
  const path = await tempFile('credentials.json');
  const { openEntry } = keychain();
  const store = createKeychainStore({ service: 's', path, openEntry });
  await saveCredentials(path, credentials);
  expect(await store.load()).toEqual(credentials);
  await store.save(credentials);
  expect(await loadCredentials(path)).toBeUndefined();
  const other = createKeychainStore({ service: 's', account: 'other', path, openEntry });
  expect(await other.load()).toBeUndefined();
});

test('a keychain that is locked falls back to the file, and the later login wins', async () => {
  const path = await tempFile('credentials.json');
  const { state, openEntry } = keychain();
  const store = createKeychainStore({ service: 's', path, openEntry });
  await store.save(credentials);
  state.locked = true;
  expect(await store.load()).toBeUndefined();
  const later = { ...credentials, authenticatedAt: new Date('2026-11-22T00:00:00.000Z') };
  await store.save(later);
  expect(await store.load()).toEqual(later);
  state.locked = false;
  expect(await store.load()).toEqual(later);
});

test('an entry that somebody else wrote is as good as none', async () => {
  const { state, openEntry } = keychain();
  state.entries.set('s/default', '{ damaged');
  expect(await createKeychainStore({ service: 's', path: await tempFile('c.json'), openEntry }).load()).toBeUndefined();
});
