import { relations } from 'drizzle-orm';
import { users } from './people.ts';
import { releases } from './releases.ts';
import { tenants } from './tenants.ts';

export const tenantRelations = relations(tenants, ({ one }) => ({
  owner: one(users, { fields: [tenants.ownerId], references: [users.id] }),
  currentRelease: one(releases, { fields: [tenants.currentReleaseId], references: [releases.id] }),
}));
