import { randomUUID } from 'node:crypto';
import { Client } from 'pg';

/** Somebody who has logged in, with a tenant that runs. */
export interface Person {
  readonly token: string;
  readonly userId: string;
  readonly tenantId: string;
}

/** Logs people in over the sandbox's pages, and gives each a tenant in the database. */
export async function createPeople(baseUrl: string, databaseUrl: string, count: number): Promise<Person[]> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const people: Person[] = [];
    for (let index = 0; index < count; index += 1) people.push(await createPerson(baseUrl, client, index));
    return people;
  } finally {
    await client.end();
  }
}

async function createPerson(baseUrl: string, client: Client, index: number): Promise<Person> {
  const headers = addressHeader(index);
  const redirectUri = 'http://127.0.0.1:45678/callback';
  const query = new URLSearchParams({ redirect_uri: redirectUri });
  const begun = await fetch(`${baseUrl}/api/v1/auth/oauth/github?${query}`, { headers });
  const { authorize_url: authorizeUrl } = (await begun.json()) as { authorize_url: string };
  const form = { ...Object.fromEntries(new URL(authorizeUrl).searchParams), action: 'continue', name: 'Ada' };
  const body = new URLSearchParams({ ...form, email: `ada${index}@example.com` });
  const posted = await fetch(`${baseUrl}/sandbox/identity`, { method: 'POST', body, redirect: 'manual', headers });
  const back = await fetch(posted.headers.get('location') ?? '', { redirect: 'manual', headers });
  const token = new URL(back.headers.get('location') ?? '').searchParams.get('access_token') ?? '';
  const me = await fetch(`${baseUrl}/api/v1/auth/me`, { headers: { ...headers, authorization: `Bearer ${token}` } });
  const { user } = (await me.json()) as { user: { id: string } };
  const tenantId = randomUUID();
  const marker = tenantId.slice(0, 8);
  await client.query(
    `insert into tenants (id, owner_id, name, state, region, plan_id, memory_mb, volume_gb, app_name, hostname, database_name)
     values ($1, $2, 'shop', 'running', 'iad', 'starter', 512, 1, $3, $4, $5)`,
    [tenantId, user.id, `sp-${marker}`, `shop-${marker}.example.com`, `sp_${marker}`],
  );
  return { token, userId: user.id, tenantId };
}

/** Where a person's requests come from: the limits for each address are part of what is measured. */
export function addressHeader(index: number): Record<string, string> {
  return { 'x-bench-address': `10.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}` };
}
