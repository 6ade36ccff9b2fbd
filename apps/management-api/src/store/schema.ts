// Every table, by what it is about. Migrations are made from it: `pnpm --filter @sp/management-api db:generate`.
export * from './schema/billing.ts';
export * from './schema/logins.ts';
export * from './schema/people.ts';
export * from './schema/relations.ts';
export * from './schema/releases.ts';
export * from './schema/requests.ts';
export * from './schema/secrets.ts';
export * from './schema/tenants.ts';
export * from './schema/workflows.ts';
