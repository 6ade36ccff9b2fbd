import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { inspect } from 'node:util';
import { beforeAll, expect, test } from 'vitest';
import {
  activeSession,
  activeSessionKey,
  type CliSession,
  createCliSession,
  createSessionStore,
  deleteSession,
  findSession,
  findSessionByProfileName,
  findValidSession,
  formatSessionKey,
  fromStorageKey,
  isSessionExpired,
  isSessionFor,
  isSessionValid,
  keyOfSession,
  loadSession,
  loadSessionStore,
  pruneExpiredSessions,
  removeSession,
  saveSession,
  saveSessionStore,
  sessionKeyOf,
  setActiveSession,
  toStorageKey,
  touchSession,
  updateSessionStore,
  upsertSession,
} from '../src/index.ts';
import { buildForChildren, fixture, run } from './child-build.ts';
import { tempFile } from './temp-file.ts';

const start = Date.parse('2026-11-21T10:00:00.000Z');
const now = (): number => start;
const later = (hours: number) => (): number => start + hours * 3_600_000;
const local = sessionKeyOf();
const tenant = sessionKeyOf('t-1');

function sessionOf(changes: Partial<Parameters<typeof createCliSession>[0]> = {}): CliSession {
  return createCliSession({
    profileName: 'production',
    sessionToken: 'the-secret',
    sessionId: 'session-1',
    contextId: 'context-1',
    now,
    ...changes,
  });
}

const stored = {
  version: 4,
  tenant_key: 't-1',
  profile_name: 'production',
  profile_path: '/site/profile.yaml',
  session_token: 'the-secret',
  session_id: 'session-1',
  context_id: 'context-1',
  user_id: 'system',
  user_email: 'system@local.invalid',
  user_type: 'admin',
  created_at: '2026-11-21T10:00:00.000Z',
  expires_at: '2026-11-22T10:00:00.000Z',
  last_used: '2026-11-21T10:00:00.000Z',
};

async function pathWith(name: string, content: unknown): Promise<string> {
  const path = await tempFile(name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

test('keys are written and read as the predecessor does', () => {
  expect([local, tenant]).toEqual([{ type: 'Local' }, { type: 'Tenant', value: 't-1' }]);
  expect([local, tenant].map(toStorageKey)).toEqual(['local', 'tenant_t-1']);
  expect([local, tenant].map(formatSessionKey)).toEqual(['local', 'tenant:t-1']);
  expect(['local', 'tenant_t-1', 'tenant_tenant_x', 'something', ''].map(fromStorageKey)).toEqual([
    local,
    tenant,
    sessionKeyOf('tenant_x'),
    local,
    local,
  ]);
  expect(sessionKeyOf('local')).toEqual(local);
});

test('a new session is local, the system’s, and lasts a day', () => {
  const session = sessionOf();
  expect(session).toMatchObject({ version: 4, userId: 'system', userEmail: 'system@local.invalid', userType: 'admin' });
  expect(session.tenantKey).toBeUndefined();
  expect(sessionOf({ key: local }).tenantKey).toBe('local');
  expect(session.expiresAt.toISOString()).toBe('2026-11-22T10:00:00.000Z');
  expect(isSessionExpired(session, { now: () => session.expiresAt.getTime() - 1 })).toBe(false);
  expect(isSessionExpired(session, { now: () => session.expiresAt.getTime() })).toBe(true);
  expect(isSessionValid(session, { now })).toBe(true);
  expect(isSessionValid({ ...session, sessionToken: '' }, { now })).toBe(false);
});

test('a session is for one tenant, or local', () => {
  const sessions = [sessionOf(), sessionOf({ key: local }), sessionOf({ key: tenant })];
  expect(sessions.map((session) => isSessionFor(session, local))).toEqual([true, true, false]);
  expect(sessions.map((session) => isSessionFor(session, tenant))).toEqual([false, false, true]);
  expect(sessions.map(keyOfSession)).toEqual([local, local, tenant]);
});

test('touching says when it was used last', () => {
  const used = touchSession(sessionOf(), { contextId: 'context-2', profilePath: '/p', now: later(1) });
  expect(used).toMatchObject({ contextId: 'context-2', profilePath: '/p', lastUsed: new Date(later(1)()) });
  expect(touchSession(sessionOf(), { now: later(1) })).toMatchObject({ contextId: 'context-1' });
});

test.each([
  { profileName: 'a b' },
  { profileName: '' },
  { userEmail: 'nobody' },
  { userEmail: 'a@b' },
  { userEmail: 'a@b.c' },
  { userEmail: 'a@b@c.de' },
  { userEmail: '@b.de' },
  { userEmail: 'a@b..de' },
  { userEmail: 'a@.de' },
  { userEmail: 'a@b.de.' },
])('a session with %j is not made', (wrong) => {
  expect(() => sessionOf(wrong)).toThrowError(expect.objectContaining({ code: 'SP_SESSION_INVALID' }));
});

test('session.json has the keys of the predecessor in their order, and others survive', async () => {
  const path = await tempFile('session.json');
  expect(await loadSession(path)).toBeUndefined();
  const session = sessionOf({ key: tenant, profilePath: '/site/profile.yaml' });
  await saveSession(path, session);
  expect(await readFile(path, 'utf8')).toBe(JSON.stringify(stored, null, 2));
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(await loadSession(path)).toEqual(session);

  await writeFile(path, JSON.stringify({ ...stored, issuer: 'x' }));
  await saveSession(path, touchSession(session, { contextId: 'context-2', now }));
  expect(JSON.parse(await readFile(path, 'utf8'))).toEqual({ ...stored, context_id: 'context-2', issuer: 'x' });
  expect(await deleteSession(path)).toBe(true);
  expect(await deleteSession(path)).toBe(false);
});

test('session.json of version 3 is read as 4; other versions are named', async () => {
  const old = { ...stored, version: 3, tenant_key: undefined, profile_path: null, user_type: undefined };
  expect(await loadSession(await pathWith('session.json', old))).toEqual(sessionOf());
  for (const version of [2, 5]) {
    const path = await pathWith('session.json', { version, nothing: 'else' });
    await expect(loadSession(path)).rejects.toMatchObject({
      code: 'SP_SESSION_VERSION',
      path,
      version,
      minVersion: 3,
      maxVersion: 4,
    });
  }
});

test.each([
  '',
  '{"version": 4, "session_token": "the-secret"',
  'null',
  '[]',
  { ...stored, version: '4' },
  { ...stored, session_token: ['the-secret'] },
  { ...stored, expires_at: 'the-secret' },
  { ...stored, profile_name: '../the-secret' },
  { ...stored, user_email: 'the-secret' },
])('a damaged session.json (%j) is named and not quoted', async (content) => {
  const path = await pathWith('session.json', content);
  const error = await loadSession(path).catch((error: unknown) => error);
  expect(error).toMatchObject({ code: 'SP_SESSION_CORRUPTED', path, reason: expect.any(String) });
  expect(inspect(error, { depth: 9 })).not.toContain('the-secret');
});

test('a store finds, replaces, removes and forgets sessions, and says when it changed', () => {
  const empty = createSessionStore({ now });
  const one = upsertSession(empty, tenant, { session: sessionOf({ key: tenant }), now: later(1) });
  expect(empty.sessions.size).toBe(0);
  expect(one.updatedAt).toEqual(new Date(later(1)()));
  expect(findSession(one, tenant)).toEqual(sessionOf({ key: tenant }));
  expect(findSession(one, local)).toBeUndefined();
  expect(findValidSession(one, tenant, { now: later(23) })).toBeDefined();
  expect(findValidSession(one, tenant, { now: later(24) })).toBeUndefined();
  expect(findSessionByProfileName(one, 'production', { now })).toBeDefined();
  expect(findSessionByProfileName(one, 'production', { now: later(24) })).toBeUndefined();
  expect(findSessionByProfileName(one, 'other', { now })).toBeUndefined();
  expect(removeSession(one, local, { now: later(2) })).toBe(one);
  const removed = removeSession(one, tenant, { now: later(2) });
  expect([removed.sessions.size, removed.updatedAt]).toEqual([0, new Date(later(2)())]);

  const two = upsertSession(one, local, { session: sessionOf({ now: later(20) }), now });
  expect(pruneExpiredSessions(two, { now: later(23) })).toBe(two);
  const pruned = pruneExpiredSessions(two, { now: later(25) });
  expect([...pruned.sessions.keys()]).toEqual(['local']);
});

test('one key is active, with a profile', () => {
  const store = upsertSession(createSessionStore({ now }), tenant, { session: sessionOf({ key: tenant }), now });
  expect([activeSessionKey(store), activeSession(store, { now })]).toEqual([undefined, undefined]);
  const active = setActiveSession(store, tenant, { profileName: 'production', profilePath: '/p', now: later(1) });
  expect(activeSessionKey(active)).toEqual(tenant);
  expect(active).toMatchObject({ activeKey: 'tenant_t-1', activeProfileName: 'production' });
  expect(activeSession(active, { now })).toMatchObject({ profilePath: '/p', lastUsed: new Date(later(1)()) });
  expect(activeSession(active, { now: later(24) })).toBeUndefined();
  // A key that has no session is remembered all the same.
  const other = setActiveSession(active, local, { now });
  expect([activeSessionKey(other), activeSession(other, { now })]).toEqual([local, undefined]);
  expect(other.activeProfileName).toBe('production');
});

test('index.json has the keys of the predecessor in their order', async () => {
  const path = await tempFile('sessions/index.json');
  expect(await loadSessionStore(path)).toBeUndefined();
  await saveSessionStore(path, createSessionStore({ now }));
  expect(await readFile(path, 'utf8')).toBe(
    '{\n  "version": 1,\n  "sessions": {},\n  "active_key": null,\n  "updated_at": "2026-11-21T10:00:00.000Z"\n}',
  );
  const session = sessionOf({ key: tenant, profilePath: '/site/profile.yaml' });
  const store = setActiveSession(upsertSession(createSessionStore({ now }), tenant, { session, now }), tenant, {
    profileName: 'production',
    now,
  });
  await saveSessionStore(path, store);
  expect(await loadSessionStore(path)).toEqual(store);
  expect(Object.entries(JSON.parse(await readFile(path, 'utf8')) as object)).toEqual([
    ['version', 1],
    ['sessions', { 'tenant_t-1': stored }],
    ['active_key', 'tenant_t-1'],
    ['active_profile_name', 'production'],
    ['updated_at', '2026-11-21T10:00:00.000Z'],
  ]);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(await readFile(`${dirname(path)}/.gitignore`, 'utf8')).toBe('*\n');
});

test('keys of others survive in index.json, those of a session as long as it is the same one', async () => {
  const content = {
    version: 1,
    sessions: { 'tenant_t-1': { ...stored, issuer: 'x' } },
    active_key: null,
    updated_at: '2026-11-21T10:00:00Z',
    newer: { a: 1 },
  };
  const path = await pathWith('index.json', content);
  await updateSessionStore(path, (store) => setActiveSession(store, tenant, { now }));
  expect(JSON.parse(await readFile(path, 'utf8'))).toMatchObject({
    sessions: { 'tenant_t-1': { issuer: 'x' } },
    newer: { a: 1 },
  });
  const session = sessionOf({ key: tenant, sessionId: 'session-2' });
  await updateSessionStore(path, (store) => upsertSession(store, tenant, { session, now }));
  expect(await readFile(path, 'utf8')).not.toContain('issuer');
});

test.each([
  '{ damaged the-secret',
  '[]',
  { version: 1, sessions: [], updated_at: '2026-11-21T10:00:00Z' },
  { version: 1, sessions: { local: { ...stored, session_token: 7 } }, updated_at: '2026-11-21T10:00:00Z' },
  { version: 1, sessions: {}, active_key: 7, updated_at: '2026-11-21T10:00:00Z' },
  { version: 1, sessions: {}, active_key: null },
])('a damaged index.json (%j) is an error and is not thrown away', async (content) => {
  const path = await pathWith('index.json', content);
  const before = await readFile(path, 'utf8');
  for (const attempt of [() => loadSessionStore(path), () => updateSessionStore(path, () => createSessionStore())]) {
    const error = await attempt().catch((error: unknown) => error);
    expect(error).toMatchObject({ code: 'SP_SESSION_CORRUPTED', path });
    expect(inspect(error, { depth: 9 })).not.toContain('the-secret');
  }
  expect(await readFile(path, 'utf8')).toBe(before);
});

test('an index.json of a newer program is left alone', async () => {
  const path = await pathWith('index.json', { version: 2 });
  await expect(loadSessionStore(path)).rejects.toMatchObject({ code: 'SP_SESSION_VERSION', version: 2, maxVersion: 1 });
});

test('an update that changes nothing writes nothing', async () => {
  const path = await pathWith('index.json', { version: 1, sessions: {}, updated_at: '2026-11-21T10:00:00Z' });
  const before = await readFile(path, 'utf8');
  await updateSessionStore(path, (store) => store);
  expect(await readFile(path, 'utf8')).toBe(before);
});

let entry = '';
beforeAll(async () => {
  entry = await buildForChildren('sessions');
});

test('of 20 processes that each add a session none is lost', async () => {
  const path = await tempFile('index.json');
  const tenants = Array.from({ length: 20 }, (_, index) => `t-${index}`);
  await Promise.all(tenants.map((id) => run(process.execPath, [fixture('add-session.mjs'), entry, path, id])));
  const store = await loadSessionStore(path);
  expect([...(store?.sessions.keys() ?? [])].sort()).toEqual(tenants.map((id) => `tenant_${id}`).sort());
});
