import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { createPostgresDatabases } from '../src/databases/postgres-databases.ts';
import { MachineError } from '../src/machines/machine-error.ts';
import type { FailureClass } from '../src/ports/failure.ts';
import type { Machines } from '../src/ports/machines.ts';
import { nextState } from '../src/tenants/state.ts';
import { startWorkflows, type Workflows } from '../src/workflows/engine.ts';
import { classifyFailure, describeFailure, isRetried } from '../src/workflows/failure-class.ts';
import { insertPaidTenant, insertUser, readTenant, startTestDatabase, type TestDatabase } from './test-database.ts';

let database: TestDatabase;
let workflows: Workflows | undefined;
beforeAll(async () => {
  database = await startTestDatabase();
});
afterEach(async () => {
  await workflows?.close();
  workflows = undefined;
});
afterAll(() => database.close());

const failing = (facts: object, cause?: Error): Error => Object.assign(new Error('it failed', { cause }), facts);
const postgres = (code: string): Error => failing({ code, severity: 'ERROR' });

const table: readonly (readonly [string, FailureClass, unknown])[] = [
  ['what the port says', 'capacity', failing({ failureClass: 'capacity', status: 400 })],
  ['a word that is no class', 'permanent', failing({ failureClass: 'odd', status: 400 })],
  ['a refused connection', 'transient', failing({ code: 'ECONNREFUSED' })],
  ['no such host', 'transient', failing({ code: 'ENOTFOUND' })],
  ['a broken connection', 'ambiguous', failing({ code: 'ECONNRESET' })],
  ['a time-out', 'ambiguous', failing({ code: 'ETIMEDOUT' })],
  ['a fetch that broke', 'ambiguous', new TypeError('fetch failed', { cause: failing({ code: 'UND_ERR_SOCKET' }) })],
  [
    'a fetch that was refused',
    'transient',
    new TypeError('fetch failed', { cause: failing({ code: 'ECONNREFUSED' }) }),
  ],
  ['a full disk', 'capacity', failing({ code: 'ENOSPC' })],
  ['status 400', 'permanent', failing({ status: 400 })],
  ['status 404', 'permanent', failing({ status: 404 })],
  ['status 408', 'ambiguous', failing({ status: 408 })],
  ['status 409', 'conflict', failing({ status: 409 })],
  ['status 412', 'conflict', failing({ statusCode: 412 })],
  ['status 429', 'transient', failing({ status: 429 })],
  ['status 500', 'ambiguous', failing({ status: 500 })],
  ['status 503', 'transient', failing({ status: 503 })],
  ['status 507', 'capacity', failing({ status: 507 })],
  ['a serialization failure', 'conflict', postgres('40001')],
  ['an object in use', 'conflict', postgres('55006')],
  ['too many connections', 'transient', postgres('53300')],
  ['no space in Postgres', 'capacity', postgres('53100')],
  ['a lost connection', 'ambiguous', postgres('08006')],
  ['a server that stops', 'ambiguous', postgres('57P01')],
  ['a wrong password', 'permanent', postgres('28P01')],
  ['a forbidden statement', 'permanent', failing({}, postgres('42501'))],
  ['an image that cannot run', 'permanent', new MachineError('SP_MACHINE_IMAGE', { message: 'no command' })],
  ['a mistake of ours', 'permanent', new TypeError('x is not a function')],
  ['anything else', 'ambiguous', new Error('busy')],
  ['no error at all', 'ambiguous', 'busy'],
];

test.each(table)('%s is %s', (_name, expected, error) => {
  expect(classifyFailure(error)).toBe(expected);
});

const run: readonly (readonly [FailureClass, number, string])[] = [
  ['transient', 5, 'create machine app: the provider said no'],
  ['ambiguous', 5, 'create machine app: the provider said no'],
  ['conflict', 5, 'create machine app: the provider said no'],
  ['permanent', 1, 'create machine app: the provider said no'],
  ['capacity', 1, 'create machine app: there is no room at the provider now: the provider said no'],
];

test.each(run)(
  'a provider that is %s is asked %i times, and the owner reads why',
  async (failureClass, calls, reason) => {
    let count = 0;
    const fail = (): Promise<never> => {
      count += 1;
      return Promise.reject(Object.assign(new Error('the provider said no\nwith details'), { failureClass }));
    };
    workflows = await startWorkflows({
      store: database.store,
      vault: database.vault,
      databases: createPostgresDatabases({ adminUrl: database.adminUrl }),
      machines: { databaseHost: '127.0.0.1', createApp: fail } as Partial<Machines> as Machines,
      billing: { cancelSubscription: fail },
      images: { listTenants: async () => [], remove: fail },
      logger: pino({ level: 'silent' }),
      appUrl: (hostname) => `http://${hostname}`,
      retryIntervalMs: 1,
      outagePausesMs: [],
    });
    const ownerId = await insertUser(database.store);
    const { id } = await insertPaidTenant(database.store, { ownerId });
    await workflows.startProvisioning(id);
    while ((await readTenant(database.store, id)).state === 'provisioning') {
      await new Promise((done) => setTimeout(done, 10));
    }
    const tenant = await readTenant(database.store, id);
    expect(tenant).toMatchObject({ state: 'provision_failed', failure: reason });
    expect(count).toBe(calls);
    expect(isRetried(failureClass)).toBe(calls > 1);
    // What was paid for is not given back by itself: the database stays, and forward is by a new attempt only.
    const { rowCount } = await database.store.pool.query('select 1 from pg_database where datname = $1', [
      tenant.databaseName,
    ]);
    expect(rowCount).toBe(1);
    expect(tenant.subscriptionStatus).toBe('active');
  },
);

test('a tenant that could not be made is tried again or deleted by its owner, nothing else', () => {
  const triggers = ['paid', 'provisioned', 'deploy_started', 'rotation_started', 'restarted', 'resumed'] as const;
  for (const trigger of triggers) expect(() => nextState('provision_failed', trigger)).toThrow(/cannot take/);
  expect(nextState('provision_failed', 'provisioning_retried')).toBe('provisioning');
});

test('the reason is the first line of what was said last, or the code of what said nothing', () => {
  expect(describeFailure(failing({}, new Error('inner\nmore')))).toBe('inner');
  expect(describeFailure(Object.assign(new Error(''), { code: 'ECONNREFUSED' }))).toBe('ECONNREFUSED');
  expect(describeFailure(undefined)).toBe('unknown failure');
});
