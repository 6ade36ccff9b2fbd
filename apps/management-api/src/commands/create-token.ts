import { apiScopes } from '@sp/cloud-api/contract';
import { and, eq, ne } from 'drizzle-orm';
import { createAuditLog } from '../audit/audit-log.ts';
import type { Store } from '../store/database.ts';
import { identities, tenants, users } from '../store/schema.ts';
import { createApiToken } from '../tokens/api-tokens.ts';
import { defineCommand } from './define-command.ts';
import { openDatabase, requireMigrations } from './open-database.ts';
import { OperatorError } from './operator-error.ts';
import { readConfiguration } from './read-configuration.ts';
import { runCommand } from './run-command.ts';

/** A token that was made for a user. */
export interface CreateTokenResult {
  readonly id: string;
  readonly email: string;
  readonly scopes: readonly string[];
  readonly tenant_id?: string | undefined;
  /** RFC 3339. */
  readonly expires_at: string;
  /** Shown this once. A secret. */
  readonly token: string;
}

/** `sp-management-api create-token`: an API token for a user, as the user could make it. */
export const createTokenCommand = defineCommand({
  command: 'create-token',
  describe: 'Make an API token for a user who has logged in before; printed this once.',
  examples: [['create-token --user ada@example.com --name ci --scope deploy', 'For a CI that deploys']],
  options: {
    user: { type: 'string', demandOption: true, requiresArg: true, describe: 'Id or e-mail address of the user' },
    name: { type: 'string', demandOption: true, requiresArg: true, describe: 'What it is for' },
    scope: { choices: apiScopes, array: true, demandOption: true, describe: 'What it may do' },
    tenant: { type: 'string', requiresArg: true, describe: 'Id of the one tenant that it is for' },
    days: { type: 'number', default: 90, requiresArg: true, describe: 'Days until it expires' },
  },
  check: ({ days, name }) => {
    if (!Number.isInteger(days) || days < 1 || days > 365) return '--days is a number from 1 to 365.';
    if (name.trim() === '' || name.length > 100) return '--name has 1 to 100 characters.';
    return undefined;
  },
  run: ({ json, user, name, scope, tenant, days }) =>
    runCommand<CreateTokenResult>({ json, toText: ({ token }) => token }, async () => {
      const { databaseUrl } = readConfiguration();
      const store = await openDatabase(databaseUrl);
      try {
        await requireMigrations(store);
        const { id: userId, email } = await findUser(store, user);
        if (tenant !== undefined) await requireTenant(store, { id: tenant, userId });
        const expiresAt = new Date(Date.now() + days * 24 * 60 * 60 * 1000);
        const wanted = { userId, name, scopes: scope, tenantId: tenant, expiresAt };
        const made = await auditedToken(store, wanted);
        if (made === undefined) throw new OperatorError('SP_TOKEN_LIMIT', `${email} has too many API tokens`);
        const { id, scopes, tenantId, token } = made;
        return { id, email, scopes, tenant_id: tenantId, expires_at: made.expiresAt, token };
      } finally {
        await store.close();
      }
    }),
});

// The user sees in their log that it was not they who made it.
async function auditedToken(
  store: Store,
  wanted: Parameters<typeof createApiToken>[1],
): ReturnType<typeof createApiToken> {
  const { userId, tenantId } = wanted;
  const event = { actorKind: 'system', userId, tenantId, action: 'apiTokens.create' } as const;
  const action = await createAuditLog({ store }).begin(event);
  try {
    const made = await createApiToken({ store }, wanted);
    await action.end(made === undefined ? { outcome: 'refused', code: 'too_many_tokens' } : { outcome: 'succeeded' });
    return made;
  } catch (error) {
    await action.end({ outcome: 'failed' });
    throw error;
  }
}

const idPattern = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

// One person who logs in by two providers is two users: an address alone may not say which.
async function findUser(store: Store, user: string): Promise<{ readonly id: string; readonly email: string }> {
  const wanted = idPattern.test(user) ? eq(users.id, user) : eq(users.email, user);
  const [found, another] = await store.db
    .select({ id: users.id, email: users.email })
    .from(users)
    .where(wanted)
    .limit(2);
  if (found === undefined) throw new OperatorError('SP_USER_NOT_FOUND', `Nobody of the name ${user} has logged in`);
  if (another !== undefined) {
    const all = await store.db
      .select({ id: users.id, provider: identities.provider })
      .from(users)
      .innerJoin(identities, eq(identities.userId, users.id))
      .where(wanted);
    const ids = all.map(({ id, provider }) => `${id} (${provider})`).join(', ');
    throw new OperatorError('SP_USER_AMBIGUOUS', `Several users have the address ${user}: ${ids}`);
  }
  return found;
}

async function requireTenant(
  store: Store,
  { id, userId }: { readonly id: string; readonly userId: string },
): Promise<void> {
  const owned = and(eq(tenants.id, id), eq(tenants.ownerId, userId), ne(tenants.state, 'deleted'));
  const found = idPattern.test(id) ? await store.db.select({ id: tenants.id }).from(tenants).where(owned) : [];
  if (found.length === 0) throw new OperatorError('SP_TENANT_NOT_FOUND', `The user has no tenant ${id}`);
}
