// Measures the Management API as an operator runs it: requests a second against a bare Hono route, and how many people it
// can tell of one event. Prints a table; the limits beside the numbers are what the project promises.
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
import { serveBare } from './bench-server/bare-server.ts';
import { startChild } from './bench-server/child.ts';
import { requestsPerSecond } from './bench-server/load.ts';
import { addressHeader, createPeople, type Person } from './bench-server/people.ts';
import { startService } from './bench-server/service.ts';
import { subscribe } from './bench-server/subscribers.ts';

const program = fileURLToPath(import.meta.url);
const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
const [role, argument = ''] = process.argv.slice(2);
if (role === 'bare') serveBare(argument);
else if (role === 'subscribers') subscribe();
else await main(role);

/** `requests` or `streams` alone, or both. */
async function main(part: string | undefined): Promise<void> {
  const service = await startService(root);
  try {
    const people = await createPeople(service.url, service.databaseUrl, 300);
    if (part !== 'streams') await measureRequests(service, people);
    if (part !== 'requests') await measureStreams(service, people.slice(0, 100));
  } finally {
    await service.stop();
  }
}

function row(what: string, value: string, note = ''): void {
  console.log(`${what.padEnd(30)} ${value.padStart(12)}  ${note}`.trimEnd());
}

function request(path: string, headers: Readonly<Record<string, string>> = {}): string {
  const lines = Object.entries({ host: '127.0.0.1', ...headers }).map(([name, value]) => `${name}: ${value}`);
  return `GET ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`;
}

/** In short rounds that take turns, so that whatever else the computer does meets them all alike. */
async function measureRequests(
  { port, pid, databaseUrl }: { readonly port: number; readonly pid: number; readonly databaseUrl: string },
  people: readonly Person[],
): Promise<void> {
  const bare = startChild([program, 'bare', databaseUrl]);
  const { port: barePort } = await bare.line<{ port: number }>();
  const barePid = bare.process.pid ?? 0;
  // Thousands of addresses: what is measured is not how requests are refused.
  let address = 0;
  const ofPeople = (path: (person: Person) => string): string[] =>
    Array.from({ length: 4000 }, (_, index) => people[index % people.length] as Person).map((person) =>
      request(path(person), { authorization: `Bearer ${person.token}`, ...addressHeader((address += 1)) }),
    );
  const subjects = {
    bare: { port: barePort, pid: barePid, requests: [request('/bare')] },
    query: { port: barePort, pid: barePid, requests: people.map(({ userId }) => request(`/query/${userId}`)) },
    health: { port, pid, requests: [request('/healthz')] },
    list: { port, pid, requests: ofPeople(() => '/api/v1/tenants') },
    status: { port, pid, requests: ofPeople(({ tenantId }) => `/api/v1/tenants/${tenantId}/status`) },
  };
  const measured = Object.fromEntries(Object.keys(subjects).map((name) => [name, []])) as unknown as Record<
    keyof typeof subjects,
    { readonly rate: number; readonly cpu: number }[]
  >;
  for (let round = 0; round < 24; round += 1) {
    for (const [name, subject] of Object.entries(subjects)) {
      const before = await cpuSeconds(subject.pid);
      const { rate, answered } = await requestsPerSecond({ ...subject, connections: 32, milliseconds: 300 });
      const cpu = ((await cpuSeconds(subject.pid)) - before) / answered;
      // The first rounds are for the compiler.
      if (round > 3) measured[name as keyof typeof subjects].push({ rate, cpu });
    }
  }
  await bare.stop();
  const median = (values: number[]): number => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
  const of = (name: keyof typeof subjects, member: 'rate' | 'cpu'): number =>
    median(measured[name].map((round) => round[member]));
  for (const name of Object.keys(subjects) as (keyof typeof subjects)[]) {
    const rate = of(name, 'rate');
    const bareNote = `${(rate / of('bare', 'rate')).toFixed(2)}x of a bare Hono route`;
    const queryNote = `${(rate / of('query', 'rate')).toFixed(2)}x of one that asks the database once`;
    const cpu = of(name, 'cpu');
    // What the same processor could answer: other work on the computer does not count.
    const byCpu = `${cpuNote(cpu)}, ${(of('bare', 'cpu') / cpu).toFixed(2)}x by that`;
    row(`${name}: requests a second`, rate.toFixed(0), `${bareNote}, ${queryNote}, ${byCpu}`);
  }
}

function cpuNote(seconds: number): string {
  return `${(seconds * 1e6).toFixed(0)} µs of processor each`;
}

/** What a process has used of processors. The clock of the kernel's figures has 100 ticks a second. */
async function cpuSeconds(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

async function measureStreams(
  service: { readonly port: number; readonly pid: number; readonly databaseUrl: string },
  people: readonly Person[],
): Promise<void> {
  const total = 15_000;
  const processes = 3;
  const before = await residentKilobytes(service.pid);
  const requests = people.map(({ token, tenantId }, index) =>
    request(`/api/v1/tenants/${tenantId}/events`, {
      authorization: `Bearer ${token}`,
      ...addressHeader(1_000_000 + index),
    }),
  );
  const subscription = { port: service.port, count: total / processes, requests };
  const children = Array.from({ length: processes }, () => startChild([program, 'subscribers']));
  for (const child of children) child.tell(subscription);
  const started = performance.now();
  const cpuBefore = await cpuSeconds(service.pid);
  await Promise.all(children.map((child) => child.line()));
  const opened = `${((performance.now() - started) / 1000).toFixed(1)} s`;
  row('15,000 streams open after', opened, cpuNote(((await cpuSeconds(service.pid)) - cpuBefore) / total));
  await new Promise((done) => setTimeout(done, 20_000));
  const each = ((await residentKilobytes(service.pid)) - before) / total;
  row('memory of each', `${each.toFixed(1)} KB`, 'at most 20 KB');

  const client = new Client({ connectionString: service.databaseUrl });
  await client.connect();
  const times: number[] = [];
  const cpuAtFirst = await cpuSeconds(service.pid);
  for (let sequence = 1; sequence <= 4; sequence += 1) {
    const told = children.map((child) => child.line<{ all: number }>());
    await client.query('begin');
    await client.query('update tenants set event_sequence = $1', [sequence]);
    await client.query(
      `insert into tenant_events (tenant_id, sequence, event_type, status)
       select id, $1, 'vm_provisioning_progress', 'running' from tenants`,
      [sequence],
    );
    await client.query(`select pg_notify('tenant_events', id::text) from tenants`);
    const sent = Date.now();
    await client.query('commit');
    times.push(Math.max(...(await Promise.all(told)).map(({ all }) => all)) - sent);
  }
  await client.end();
  const cpu = cpuNote(((await cpuSeconds(service.pid)) - cpuAtFirst) / total / times.length);
  row(
    'one event to all of them',
    `${times.sort((a, b) => a - b)[1]} ms`,
    `at most 1000 ms (${times.join(', ')}), ${cpu}`,
  );
  for (const child of children) await child.stop();
}

async function residentKilobytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? Number.NaN);
}
