import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  editProfile,
  editSecrets,
  isTenantsError,
  loadProfile,
  loadSecrets,
  loadTenants,
  mergeTenantInfos,
  resolveSecrets,
  type StoredTenant,
  saveTenants,
  secretsToEnvironment,
  upsertTenant,
} from '../src/index.ts';
import { profileText } from './profile-text.ts';
import { temporaryFolder } from './temporary-folder.ts';

const jwt = 'j'.repeat(32);

test('files that an editor put a byte order mark before are read and changed as any others', async () => {
  const folder = await temporaryFolder();
  const [store, secrets, profile] = ['tenants.json', 'secrets.json', 'profile.yaml'].map((name) => join(folder, name));
  if (store === undefined || secrets === undefined || profile === undefined) throw new Error('no names');
  const tenant: StoredTenant = { id: 't', name: 'site', tenantType: 'cloud', externalDbAccess: false };
  await saveTenants(store, { tenants: [tenant], syncedAt: new Date(0) });
  await writeFile(store, `\uFEFF${await readFile(store, 'utf8')}`);
  expect((await loadTenants(store))?.tenants).toMatchObject([{ id: 't' }]);
  await upsertTenant(store, { ...tenant, name: 'other' });
  expect((await loadTenants(store))?.tenants).toMatchObject([{ name: 'other' }]);

  await writeFile(secrets, '\uFEFF{"anthropic": "key"}', { mode: 0o600 });
  expect(await loadSecrets(secrets)).toEqual({ anthropic: 'key' });
  expect(await editSecrets(secrets, { openai: 'other' })).toBe(true);
  expect(await loadSecrets(secrets)).toEqual({ anthropic: 'key', openai: 'other' });

  await writeFile(profile, `\uFEFF${profileText()}`);
  expect(await loadProfile(profile, { env: {} })).toMatchObject({ name: 'local' });
  await editProfile(profile, { name: 'renamed', 'server.port': 9000, 'runtime.log_level': 'debug' }, { env: {} });
  expect(await loadProfile(profile, { env: {} })).toMatchObject({ name: 'renamed', server: { port: 9000 } });
  expect(await readFile(profile, 'utf8')).toContain('site: { name: site, github_link: null }');
});

/** Names that mean something to JavaScript, and ones that do not. */
const anyName = fc.oneof(
  fc.constantFrom('__proto__', 'constructor', 'toString', 'hasOwnProperty', 'length', 'then'),
  fc.string({ maxLength: 12 }),
);

/** A text, whole or cut, or with something put in: what a full disk, an editor or an attacker leaves. */
function damaged(text: string): fc.Arbitrary<string> {
  const place = fc.nat(text.length);
  return fc.oneof(
    place.map((end) => text.slice(0, end)),
    fc
      .tuple(
        place,
        fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('\0', '"', '{', '[', '&a', '*a', '!!binary', '\uFEFF')),
      )
      .map(([at, noise]) => text.slice(0, at) + noise + text.slice(at)),
    fc.tuple(place, place).map(([from, to]) => text.slice(0, Math.min(from, to)) + text.slice(Math.max(from, to))),
  );
}

/** The value, or `undefined` for an error of this package; everything else is a failure. */
async function outcome<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (isTenantsError(error)) return undefined;
    throw error;
  }
}

function expectNoPrototypeChange(): void {
  expect(Object.keys(Object.getPrototypeOf({}) as object)).toEqual([]);
  expect(({} as { planted?: unknown }).planted).toBeUndefined();
}

const anyJson = fc.oneof(
  fc.json(),
  fc.dictionary(anyName, fc.jsonValue()).map((value) => JSON.stringify(value)),
  fc.constant('{"__proto__":{"planted":true},"tenants":[{"__proto__":{"planted":true}}]}'),
  fc.constant('['.repeat(200_000)),
  fc.constant(`{"a":`.repeat(50_000)),
);

const tenant: fc.Arbitrary<StoredTenant> = fc.record(
  {
    id: fc.string({ minLength: 1, unit: 'binary' }),
    name: fc.string({ minLength: 1, unit: 'binary' }),
    appId: fc.string(),
    hostname: fc.string(),
    region: fc.string(),
    databaseUrl: fc.string(),
    internalDatabaseUrl: fc.string(),
    tenantType: fc.constantFrom('local' as const, 'cloud' as const),
    externalDbAccess: fc.boolean(),
    syncToken: fc.string(),
    sharedContainerDb: fc.string(),
  },
  { requiredKeys: ['id', 'name', 'tenantType', 'externalDbAccess'] },
);

test('tenants that are saved come back as they were', async () => {
  const path = join(await temporaryFolder(), 'tenants.json');
  const stores = fc.record({
    tenants: fc.array(tenant, { maxLength: 5 }),
    syncedAt: fc.date({ min: new Date(0), max: new Date(Date.UTC(9999, 0)), noInvalidDate: true }),
  });
  await fc.assert(
    fc.asyncProperty(stores, async (store) => {
      await saveTenants(path, store);
      expect(await loadTenants(path)).toEqual(JSON.parse(JSON.stringify(store), reviveDate));
    }),
    { numRuns: 60 },
  );
});

function reviveDate(name: string, value: unknown): unknown {
  return name === 'syncedAt' ? new Date(value as string) : value;
}

test('tenants.json: anything is a value or a named error, and what cannot be read is never overwritten', async () => {
  const path = join(await temporaryFolder(), 'tenants.json');
  const store = {
    tenants: [{ id: 't_1', name: 'site', tenant_type: 'cloud', external_db_access: true, later: { a: [1] } }],
    synced_at: '2026-11-21T10:00:00.123456789+01:00',
    version: 3,
  };
  const info = { id: 't_1', name: 'renamed', externalDbAccess: false, databaseUrl: 'postgres://u:***@d' };
  await fc.assert(
    fc.asyncProperty(fc.oneof(damaged(JSON.stringify(store, undefined, 2)), anyJson), async (text) => {
      await writeFile(path, text, { mode: 0o600 });
      const before = await outcome(loadTenants(path));
      const after = await outcome(mergeTenantInfos(path, [info]));
      if (before === undefined) expect(await readFile(path, 'utf8')).toBe(Buffer.from(text).toString());
      else
        expect(after?.tenants.map(({ id }) => id)).toEqual([
          ...new Set([...before.tenants.map(({ id }) => id), 't_1']),
        ]);
      expectNoPrototypeChange();
    }),
    { numRuns: 150 },
  );
});

test('tenants.json of other versions is read, and its unknown members survive', async () => {
  const path = join(await temporaryFolder(), 'tenants.json');
  const unknown = fc.dictionary(
    anyName.filter((name) => !known.has(name)),
    fc.jsonValue(),
  );
  await fc.assert(
    fc.asyncProperty(unknown, unknown, async (top, inner) => {
      const entry = { ...inner, id: 't_1', name: 'site' };
      await writeFile(path, JSON.stringify({ ...top, tenants: [entry], synced_at: '2026-11-21T10:00:00Z' }), {
        mode: 0o600,
      });
      const store = await loadTenants(path);
      expect(store?.tenants).toEqual([{ id: 't_1', name: 'site', tenantType: 'local', externalDbAccess: false }]);
      if (store !== undefined) await saveTenants(path, store);
      const saved = JSON.parse(await readFile(path, 'utf8')) as { tenants: object[] };
      expect(saved).toMatchObject(JSON.parse(JSON.stringify(omitProto(top))));
      expect(saved.tenants[0]).toMatchObject(JSON.parse(JSON.stringify(omitProto(inner))));
    }),
    { numRuns: 60 },
  );
});

const known = new Set(
  'tenants synced_at id name app_id hostname region database_url internal_database_url tenant_type external_db_access sync_token shared_container_db'.split(
    ' ',
  ),
);

/** The one name that the parser drops, for everybody's safety. */
function omitProto(value: object): object {
  return Object.fromEntries(Object.entries(value).filter(([name]) => name !== '__proto__'));
}

test('profile.yaml: anything is a value or a named error, also while it is edited', async () => {
  const path = join(await temporaryFolder(), 'profile.yaml');
  const bomb = `a: &a [x, x]\n${Array.from({ length: 30 }, (_, i) => `b${i}: &b${i} [*${i ? `b${i - 1}` : 'a'}, *${i ? `b${i - 1}` : 'a'}]`).join('\n')}\n`;
  const texts = fc.oneof(
    { weight: 8, arbitrary: damaged(profileText()) },
    fc.string({ unit: 'binary' }),
    anyJson,
    fc.constantFrom(
      bomb + profileText(),
      '[',
      '- a',
      '&a *a',
      '&a [*a]',
      '{'.repeat(200_000),
      '- ? '.repeat(50_000),
      '__proto__: { planted: true }',
    ),
  );
  const env = fc.dictionary(anyName, fc.string());
  await fc.assert(
    fc.asyncProperty(texts, env, async (text, variables) => {
      await writeFile(path, text);
      await outcome(loadProfile(path, { env: variables }));
      const changes = { 'server.port': 8081, '__proto__.planted': true, 'constructor.prototype.planted': true };
      const changed = await outcome(editProfile(path, changes, { env: variables }));
      if (!changed) expect(await readFile(path, 'utf8')).toBe(Buffer.from(text).toString());
      expectNoPrototypeChange();
    }),
    { numRuns: 150 },
  );
});

test('profile.yaml: whatever is set is read back, and nothing else changes', async () => {
  const path = join(await temporaryFolder(), 'profile.yaml');
  const forms = [
    profileText(),
    profileText().replace('site: { name: site, github_link: null }', "site:\n  name:  'site'  # it\n  github_link:\n"),
    profileText().replace('site: { name: site, github_link: null }', 'site:\n  name: |\n    site\n  # no link\n'),
    profileText().replaceAll('\n', '\r\n'),
  ];
  const value = fc.string({ minLength: 1, unit: 'grapheme' }).filter((text) => !text.includes('${'));
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...forms), value, value, async (text, name, githubLink) => {
      await writeFile(path, text);
      const before = await loadProfile(path, { env: {} });
      await editProfile(path, { 'site.name': name, 'site.github_link': githubLink }, { env: {} });
      const after = await loadProfile(path, { env: {} });
      expect(after).toEqual({ ...before, site: { name, githubLink } });
    }),
    { numRuns: 120 },
  );
});

test('secrets.json: anything is a value or a named error', async () => {
  const folder = await temporaryFolder();
  await mkdir(join(folder, 'p'));
  const secretsPath = join(folder, 'p', 'secrets.json');
  const whole = JSON.stringify(
    { jwt_secret: jwt, database_url: 'postgres://d', gemini: null, mine: 'x' },
    undefined,
    2,
  );
  const profile = {
    path: join(folder, 'p', 'profile.yaml'),
    secrets: { secretsPath, validation: 'warn', source: 'file' },
  } as const;
  const members = fc.dictionary(anyName, fc.string());
  const texts = fc.oneof(
    damaged(whole),
    anyJson,
    members.map((custom) => JSON.stringify({ ...custom, jwt_secret: jwt, database_url: 'd' })),
  );
  await fc.assert(
    fc.asyncProperty(texts, async (text) => {
      await writeFile(secretsPath, text, { mode: 0o600 });
      const resolved = await outcome(resolveSecrets({ profile, env: {} }));
      if (resolved !== undefined) expect(resolved.secrets.jwtSecret.length).toBeGreaterThanOrEqual(1);
      const loaded = await outcome(loadSecrets(secretsPath));
      if (loaded !== undefined) expect(Object.values(loaded).every((value) => typeof value === 'string')).toBe(true);
      expectNoPrototypeChange();
    }),
    { numRuns: 150 },
  );
});

test('secrets of any name become variables, or are named', () => {
  fc.assert(
    fc.property(fc.dictionary(anyName, fc.string()), (secrets) => {
      try {
        const environment = secretsToEnvironment(secrets);
        for (const [name, value] of Object.entries(environment)) {
          expect(name).toMatch(/^[A-Z_][A-Z0-9_]*$/i);
          expect(typeof value).toBe('string');
        }
      } catch (error) {
        expect(error).toMatchObject({ code: 'SP_PROFILE_SECRETS_INVALID' });
      }
    }),
    { numRuns: 300 },
  );
});

test('a file that is no object at all is called so, in a sentence that names what is meant', async () => {
  const folder = await temporaryFolder();
  const [store, profile] = [join(folder, 'tenants.json'), join(folder, 'profile.yaml')];
  for (const text of ['null', '7', '[]']) {
    await writeFile(store, text);
    await writeFile(profile, text);
    await expect(loadTenants(store)).rejects.toThrow(`Cannot read ${store}: file is not as expected`);
    await expect(loadProfile(profile, { env: {} })).rejects.toThrow(`Invalid profile ${profile}: file has no members`);
  }
});
