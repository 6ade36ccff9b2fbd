import { DBOS } from '@dbos-inc/dbos-sdk';
import { pino } from 'pino';
import { createPostgresDatabases } from '../../src/databases/postgres-databases.ts';
import type { Databases } from '../../src/ports/databases.ts';
import { openStore } from '../../src/store/database.ts';
import { createEventFeed } from '../../src/tenants/event-feed.ts';
import { createVault } from '../../src/vault/file-vault.ts';
import { startWorkflows } from '../../src/workflows/engine.ts';
import type { ChildMessage, ChildOptions, ParentMessage } from './messages.ts';
import { createProviderMachines, providerClient } from './provider-machines.ts';

// A control plane without its HTTP: what is started here is killed in the middle.
process.noDeprecation = true;
const options = JSON.parse(process.env['SP_CRASH_CHILD'] ?? '{}') as ChildOptions;
const send = (message: ChildMessage): void => void process.send?.(message);

const counts = new Map<string, number>();
const stops = new Map<string, string>();
const told = new Set<string>();
const held = new Map<string, () => void>();

/** Counts what each workflow comes by, and holds it for ever where it is to be killed. */
async function reach(where: string): Promise<void> {
  const workflowId = DBOS.workflowID;
  if (workflowId === undefined) return;
  if (`${workflowId} ${where}` === options.deadly) process.kill(process.pid, 'SIGKILL');
  const count = (counts.get(workflowId) ?? 0) + 1;
  counts.set(workflowId, count);
  const label = `${count} ${where}`;
  if (isStop(stops.get(workflowId), { count, where }) || count === options.holdAt) {
    send({ type: 'stopped', workflowId, label });
    return await new Promise((release) => held.set(workflowId, release));
  }
  if (told.has(workflowId)) send({ type: 'reached', workflowId, label });
}

// A step that was slow and looked twice has come by more than in the undisturbed run: the same place, a higher number.
function isStop(stopAt: string | undefined, { count, where }: { count: number; where: string }): boolean {
  const [number = '', ...rest] = stopAt?.split(' ') ?? [];
  return stopAt !== undefined && count >= Number(number) && where === rest.join(' ');
}

const store = await openStore(options.databaseUrl);
const real = createPostgresDatabases({ adminUrl: options.databaseUrl });
const around = <A extends unknown[], R>(name: string, work: (...args: A) => Promise<R>) => {
  return async (...args: A): Promise<R> => {
    await reach(`${name}:before`);
    const result = await work(...args);
    await reach(`${name}:after`);
    return result;
  };
};
const databases: Databases = {
  ...real,
  create: around('create database', real.create),
  disableLogin: around('disable login', real.disableLogin),
  drop: around('drop database', real.drop),
};
const call = providerClient(options.providerUrl, reach);
const workflows = await startWorkflows({
  store,
  vault: createVault(Buffer.from(options.vaultKey, 'base64')),
  databases,
  machines: createProviderMachines(options.providerUrl, reach),
  billing: { cancelSubscription: async (id) => void (await call('POST', `/subscriptions/${id}/cancel`)) },
  images: {
    listTenants: async () => [],
    remove: async (tenantId) => void (await call('DELETE', `/images/${tenantId}`)),
  },
  logger: pino({ level: 'warn' }, pino.destination(2)),
  appUrl: (hostname) => `http://${hostname}`,
  retryIntervalMs: 1,
  healthIntervalMs: 1,
  outagePausesMs: [1],
  maxRecoveries: options.maxRecoveries,
  // Every fifteenth look begins what is open: it must not come before the test has said where to stop.
  takeOverIntervalMs: options.takeOverIntervalMs ?? 5000,
  onBoundary: ({ step, moment }) => reach(`${step}:${moment}`),
});

const feed = await createEventFeed(store);

async function follow(tenantId: string): Promise<void> {
  for await (const event of feed.follow(tenantId, { after: 0, signal: new AbortController().signal })) {
    send({ type: 'event', tenantId, sequence: event.sequence, eventType: event.eventType });
  }
}

async function start(workflowId: string): Promise<void> {
  const [kind, subject = ''] = workflowId.split(':');
  if (kind === 'provision') await workflows.startProvisioning(subject);
  if (kind === 'deploy') await workflows.startDeploy(subject);
  if (kind === 'operate') await workflows.startOperation(subject);
}

process.on('message', (message: ParentMessage) => {
  const failed = (error: unknown): void => send({ type: 'failed', reason: String(error) });
  if (message.type === 'follow') void follow(message.tenantId).catch(failed);
  if (message.type === 'release') held.get(message.workflowId)?.();
  if (message.type !== 'start') return;
  if (message.tell === true) told.add(message.workflowId);
  if (message.stopAt !== undefined) stops.set(message.workflowId, message.stopAt);
  void start(message.workflowId).catch(failed);
});
process.on('SIGTERM', () => {
  void (async () => {
    await feed.close();
    await workflows.close();
    await store.close();
    process.exit(0);
  })();
});
send({ type: 'ready' });
