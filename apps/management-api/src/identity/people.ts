import type { OAuthProvider } from '@sp/cloud-api/contract';
import { and, eq } from 'drizzle-orm';
import type { VerifiedPerson } from '../ports/identity.ts';
import type { Store, Transaction } from '../store/database.ts';
import { identities, users } from '../store/schema.ts';

/** A user as tokens know them. */
export interface Person {
  readonly id: string;
  readonly email: string;
}

/**
 * The user that a provider vouches for; the first login makes them. Found by the provider's own id only: an e-mail
 * address can change hands.
 */
export function resolvePerson(
  store: Store,
  request: { readonly provider: OAuthProvider; readonly person: VerifiedPerson },
): Promise<Person> {
  const { provider, person } = request;
  return store.db.transaction(async (tx) => {
    const known = await findUserId(tx, { provider, subject: person.subject });
    if (known !== undefined) return updateUser(tx, { id: known, person });
    const created = await insertUser(tx, person);
    const claimed = await tx
      .insert(identities)
      .values({ provider, subject: person.subject, userId: created.id })
      .onConflictDoNothing()
      .returning();
    if (claimed.length > 0) return created;
    // Two first logins at once: the other one was faster, and its user stands.
    await tx.delete(users).where(eq(users.id, created.id));
    const other = await findUserId(tx, { provider, subject: person.subject });
    return updateUser(tx, { id: other ?? created.id, person });
  });
}

/** The user of an id. */
export function findPerson(store: Store, id: string): Promise<Person | undefined> {
  return store.db.query.users.findFirst({ columns: { id: true, email: true }, where: eq(users.id, id) });
}

async function findUserId(
  tx: Transaction,
  { provider, subject }: { readonly provider: string; readonly subject: string },
): Promise<string | undefined> {
  const row = await tx.query.identities.findFirst({
    where: and(eq(identities.provider, provider), eq(identities.subject, subject)),
  });
  return row?.userId;
}

async function insertUser(tx: Transaction, { email, name }: VerifiedPerson): Promise<Person> {
  const [row] = await tx.insert(users).values({ email, name }).returning({ id: users.id, email: users.email });
  if (row === undefined) throw new Error('The database returned no row for a new user.');
  return row;
}

async function updateUser(
  tx: Transaction,
  { id, person }: { readonly id: string; readonly person: VerifiedPerson },
): Promise<Person> {
  const { email, name } = person;
  await tx
    .update(users)
    .set({ email, ...(name === undefined ? {} : { name }) })
    .where(eq(users.id, id));
  return { id, email };
}
