import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import {
  createProfile,
  isLocalTrial,
  listProfiles,
  loadProfile,
  loadSecrets,
  newLocalTenant,
  type StoredTenant,
  validateProfile,
} from '../src/index.ts';
import { profileText } from './profile-text.ts';
import { temporaryFolder } from './temporary-folder.ts';

const tenant: StoredTenant = {
  id: 't_1',
  name: 'site',
  hostname: 'site.example.test',
  databaseUrl: 'postgres://u:p@outside/site',
  internalDatabaseUrl: 'postgres://u:p@inside/site',
  tenantType: 'cloud',
  externalDbAccess: true,
  syncToken: 'sync',
};

async function project(): Promise<{ projectRoot: string; profiles: string; directory: string }> {
  const projectRoot = await temporaryFolder();
  const profiles = join(projectRoot, '.systemprompt', 'profiles');
  return { projectRoot, profiles, directory: join(profiles, 'production') };
}

test('a profile is created, listed and loaded', async () => {
  const { projectRoot, profiles, directory } = await project();
  const secrets = { jwtSecret: 'j'.repeat(64), anthropicApiKey: 'key' };
  const created = await createProfile({ directory, name: 'production', tenant, secrets, projectRoot });
  expect(await readFile(created.secretsPath, 'utf8')).toBe(
    JSON.stringify(
      {
        jwt_secret: 'j'.repeat(64),
        database_url: tenant.databaseUrl,
        external_database_url: tenant.databaseUrl,
        gemini: null,
        anthropic: 'key',
        openai: null,
        internal_database_url: tenant.internalDatabaseUrl,
        sync_token: 'sync',
      },
      undefined,
      2,
    ),
  );
  expect((await stat(created.secretsPath)).mode & 0o777).toBe(0o600);
  const text = await readFile(created.profilePath, 'utf8');
  expect(text).toMatch(/^# .*Production\n# .*\n\nname: production\ndisplay_name: Production\ntarget: cloud\nsite:\n/);
  expect(Object.keys(parse(text) as object)).toEqual(
    'name display_name target site database server paths security rate_limits runtime cloud secrets extensions gateway'.split(
      ' ',
    ),
  );
  expect(text).toContain('  cors_allowed_origins:\n    - https://site.example.test\n');
  expect(text).toContain('  github_link: null\n');
  expect(await listProfiles(profiles)).toEqual([{ name: 'production', path: created.profilePath, hasSecrets: true }]);
  expect(await loadProfile(created.profilePath, { env: {} })).toMatchObject({
    name: 'production',
    displayName: 'Production',
    target: 'cloud',
    server: { port: 8080, apiExternalUrl: 'https://site.example.test', useHttps: true },
    paths: { system: '/app', services: '/app/services', webPath: '/app/web', geoipDatabase: undefined },
    cloud: { tenantId: 't_1', validation: 'strict' },
    secrets: { secretsPath: created.secretsPath, source: 'env' },
    database: { externalDbAccess: true },
  });
  expect((await stat(join(projectRoot, 'storage'))).isDirectory()).toBe(true);
});

test('without provisioned credentials the JWT secret is random', async () => {
  const { projectRoot, profiles } = await project();
  const secrets = await Promise.all(
    ['one', 'two'].map(async (name) => {
      const created = await createProfile({ directory: join(profiles, name), name, tenant, projectRoot });
      return (await loadSecrets(created.secretsPath))?.['jwt_secret'];
    }),
  );
  expect(secrets[0]).toMatch(/^[A-Za-z0-9]{64}$/);
  expect(secrets[0]).not.toBe(secrets[1]);
});

test('the profile of a tenant in a cloud that speaks http has its addresses there', async () => {
  const { projectRoot, directory } = await project();
  const { profilePath } = await createProfile({ directory, name: 'production', tenant, projectRoot, useHttps: false });
  const { server } = await loadProfile(profilePath, { env: {} });
  expect(server).toMatchObject({ useHttps: false, apiExternalUrl: `http://${tenant.hostname}` });
  expect(server.corsAllowedOrigins).toEqual([`http://${tenant.hostname}`]);
});

test('a profile that exists is never changed, and nothing is left behind', async () => {
  const { projectRoot, profiles, directory } = await project();
  const options = { directory, name: 'production', tenant, projectRoot };
  const outcomes = await Promise.allSettled([createProfile(options), createProfile(options), createProfile(options)]);
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  for (const outcome of outcomes) {
    if (outcome.status === 'rejected')
      expect(outcome.reason).toMatchObject({ code: 'SP_PROFILE_EXISTS', path: directory });
  }
  expect(await readdir(profiles)).toEqual(['production']);
});

test('a profile that could not work is not created', async () => {
  const { projectRoot, directory } = await project();
  const create = (name: string, changes: Partial<StoredTenant>): Promise<unknown> =>
    createProfile({ directory, name, tenant: { ...tenant, ...changes }, projectRoot });
  const masked = { databaseUrl: undefined, internalDatabaseUrl: 'postgres://u:***@inside/site' };
  for (const failing of [
    () => create('../escape', {}),
    () => create('production', masked),
    () => create('production', { databaseUrl: undefined, internalDatabaseUrl: undefined }),
  ]) {
    await expect(failing()).rejects.toMatchObject({ code: 'SP_PROFILE_INVALID' });
  }
});

test('variables are filled in, relative paths resolved, and the file stays as it is', async () => {
  const folder = await temporaryFolder();
  const path = join(folder, 'profiles', 'local', 'profile.yaml');
  const text = `name: local
display_name: Local
site: { name: x }
database: { type: postgres }
server:
  host: \${HOST}
  port: \${PORT}
  api_server_url: http://localhost:\${PORT}
  api_internal_url: http://\${UNKNOWN}
  api_external_url: http://localhost
paths: { system: ../.., services: ../../services, bin: /opt/bin, web_path: null }
security: { jwt_issuer: x, jwt_access_token_expiration: 60, jwt_refresh_token_expiration: 60, jwt_audiences: [web] }
rate_limits: {}
secrets: { secrets_path: ~/keys.json, source: file }
`;
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
  const profile = await loadProfile(path, { env: { HOST: '127.0.0.1', PORT: '9000' }, home: '/home/ada' });
  expect(profile).toMatchObject({
    target: 'local',
    server: { host: '127.0.0.1', port: 9000, apiInternalUrl: 'http://${UNKNOWN}' },
    paths: { system: folder, services: join(folder, 'services'), bin: '/opt/bin' },
    secrets: { secretsPath: '/home/ada/keys.json', validation: 'warn', source: 'file' },
  });
  expect(profile).not.toHaveProperty('cloud');
  expect(await readFile(path, 'utf8')).toBe(text);
});

test('everything that is wrong with a profile is named, without its values', async () => {
  const folder = await temporaryFolder();
  const path = join(folder, 'profile.yaml');
  await writeFile(
    path,
    `name: ''
display_name: X
target: cloud
database: { type: postgres }
server: { host: h, port: 0, api_server_url: a, api_internal_url: b, cors_allowed_origins: ['ftp://planted'] }
paths: { system: /app, services: /srv/planted, bin: /app/bin, web_path: /app/services/web }
`,
  );
  await expect(loadProfile(path, { env: {} })).rejects.toMatchObject({
    code: 'SP_PROFILE_INVALID',
    message: expect.not.stringContaining('planted'),
    findings: expect.arrayContaining([
      { member: 'name', problem: 'must not be empty' },
      { member: 'server.api_external_url', problem: 'is missing or of the wrong type' },
      { member: 'server.port', problem: 'must be more than 0' },
      { member: 'server.cors_allowed_origins.0', problem: 'must start with http:// or https://' },
    ]),
  });
  await writeFile(path, 'name: a\nserver: [${SECRET}');
  await expect(loadProfile(path, { env: { SECRET: 'planted' } })).rejects.toMatchObject({
    message: expect.not.stringContaining('planted'),
    findings: [{ problem: 'is not YAML (line 2, column 17)' }],
  });
  await expect(loadProfile(join(folder, 'none.yaml'), { env: {} })).rejects.toMatchObject({
    code: 'SP_PROFILE_NOT_FOUND',
  });
});

test('a cloud profile keeps to the folders of the image', async () => {
  const { projectRoot, directory } = await project();
  const { profilePath } = await createProfile({ directory, name: 'production', tenant, projectRoot });
  const text = await readFile(profilePath, 'utf8');
  await writeFile(
    profilePath,
    text.replace('bin: /app/bin', 'bin: /appetite').replace('/app/web', '/app/services/web'),
  );
  await expect(loadProfile(profilePath, { env: {} })).rejects.toMatchObject({
    findings: [
      { member: 'paths.bin', problem: 'must be below /app' },
      { member: 'paths.web_path', problem: 'must be below /app/web' },
    ],
  });
});

test('a local profile is made for a local tenant', async () => {
  const { projectRoot, directory } = await project();
  const local = newLocalTenant({ id: 'local_1', name: 'mine', databaseUrl: 'postgres://u:p@localhost/mine' });
  await mkdir(join(projectRoot, 'target', 'debug'), { recursive: true });
  await writeFile(join(projectRoot, 'target', 'debug', 'systemprompt'), '');
  const created = await createProfile({ directory, name: 'production', tenant: local, projectRoot });
  const profile = await loadProfile(created.profilePath, { env: {} });
  expect(profile).toMatchObject({
    target: 'local',
    server: {
      host: '127.0.0.1',
      apiExternalUrl: 'http://localhost:8080',
      useHttps: false,
      corsAllowedOrigins: ['http://localhost:8080', 'http://localhost:5173'],
    },
    paths: {
      system: projectRoot,
      services: join(projectRoot, 'services'),
      bin: join(projectRoot, 'target', 'debug'),
      storage: join(projectRoot, 'storage'),
    },
    security: { jwtIssuer: 'systemprompt-local' },
    rateLimits: { disabled: true },
    runtime: { environment: 'development', logLevel: 'verbose', outputFormat: 'text', nonInteractive: false },
    cloud: { tenantId: 'local_1', validation: 'warn' },
    secrets: { secretsPath: created.secretsPath, source: 'file', validation: 'warn' },
  });
  expect(isLocalTrial(profile)).toBe(true);
  expect(await validateProfile(profile)).toEqual([{ member: 'paths.services', problem: 'does not exist' }]);
  await mkdir(join(projectRoot, 'services'));
  expect(await validateProfile(profile)).toEqual([]);
});

test('what a profile does not say has its default', async () => {
  const path = join(await temporaryFolder(), 'profile.yaml');
  await writeFile(path, `${profileText()}runtime: null\ngateway: { routes: [] }\ncloud: {}\n`);
  const profile = await loadProfile(path, { env: {} });
  expect(profile).toMatchObject({
    target: 'local',
    site: { name: 'site' },
    database: { type: 'postgres', externalDbAccess: false },
    server: {
      useHttps: false,
      corsAllowedOrigins: [],
      contentNegotiation: { enabled: false, markdownSuffix: '.md' },
      securityHeaders: {
        enabled: true,
        hsts: 'max-age=63072000; includeSubDomains; preload',
        frameOptions: 'DENY',
        contentTypeOptions: 'nosniff',
        referrerPolicy: 'strict-origin-when-cross-origin',
        permissionsPolicy: 'camera=(), microphone=(), geolocation=()',
      },
    },
    security: { jwtAudiences: ['web', 'own'], allowRegistration: true },
    runtime: {
      environment: 'development',
      logLevel: 'normal',
      outputFormat: 'text',
      noColor: false,
      nonInteractive: false,
    },
    cloud: { validation: 'strict' },
    extensions: { disabled: [] },
    gateway: { enabled: false, routes: [] },
  });
  expect(profile.rateLimits).toEqual({
    disabled: false,
    oauthPublicPerSecond: 10,
    oauthAuthPerSecond: 10,
    contextsPerSecond: 100,
    tasksPerSecond: 50,
    artifactsPerSecond: 50,
    agentRegistryPerSecond: 50,
    agentsPerSecond: 20,
    mcpRegistryPerSecond: 50,
    mcpPerSecond: 200,
    streamPerSecond: 100,
    contentPerSecond: 50,
    burstMultiplier: 3,
    tierMultipliers: { admin: 10, user: 1, a2a: 5, mcp: 5, service: 5, anon: 0.5 },
  });
});

test('the names of headers are not ours to change', async () => {
  const path = join(await temporaryFolder(), 'profile.yaml');
  const route = 'model_pattern: a*, provider: p, endpoint: https://e.test, api_key_secret: openai';
  await writeFile(path, `${profileText()}gateway: { routes: [{ ${route}, extra_headers: { x_my_key: '1' } }] }\n`);
  expect((await loadProfile(path, { env: {} })).gateway?.routes).toEqual([
    {
      modelPattern: 'a*',
      provider: 'p',
      endpoint: 'https://e.test',
      apiKeySecret: 'openai',
      extraHeaders: new Map([['x_my_key', '1']]),
    },
  ]);
});

test('limits of nothing are named, unless there are no limits', async () => {
  const path = join(await temporaryFolder(), 'profile.yaml');
  const limits = 'burst_multiplier: 0, contexts_per_second: 0, mcp_registry_per_second: 0';
  await writeFile(path, profileText().replace('rate_limits: {}', `rate_limits: { ${limits} }`));
  await expect(loadProfile(path, { env: {} })).rejects.toMatchObject({
    findings: [
      { member: 'rate_limits.burst_multiplier', problem: 'must be more than 0' },
      { member: 'rate_limits.contexts_per_second', problem: 'must be more than 0' },
    ],
  });
  await writeFile(path, profileText().replace('rate_limits: {}', `rate_limits: { ${limits}, disabled: true }`));
  await loadProfile(path, { env: {} });
});

test.each([
  [{ tenantId: 't_1', validation: 'strict' as const }, false],
  [{ validation: 'strict' as const }, false],
  [{ tenantId: 'local_1', validation: 'strict' as const }, true],
  [{ tenantId: 't_1', validation: 'warn' as const }, true],
  [{ tenantId: 't_1', validation: 'skip' as const }, true],
  [undefined, true],
])('a profile with cloud %j is for trying out: %s', (cloud, expected) => {
  expect(isLocalTrial({ cloud })).toBe(expected);
});
