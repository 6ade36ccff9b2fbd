import { integer, pgTable, text, uuid } from 'drizzle-orm/pg-core';
import { moment } from './columns.ts';

/** Workflows that were under way when their process ended, and how often in a row without getting further. */
export const workflowRecoveries = pgTable('workflow_recoveries', {
  workflowId: text('workflow_id').primaryKey(),
  /** Whom it worked for; known once it is given up. */
  tenantId: uuid('tenant_id'),
  /** How many steps it had recorded at the last end that was counted; -1: none was counted. */
  steps: integer('steps').notNull(),
  recoveries: integer('recoveries').notNull().default(0),
  /** The process whose end was counted last. */
  executorId: text('executor_id'),
  /** The process that ended in good order and left it to others: that is no crash. */
  handedOverBy: text('handed_over_by'),
  /** Since when it is tried alone, to see whether it is the one that ends processes. */
  probedAt: moment('probed_at'),
  givenUpAt: moment('given_up_at'),
  updatedAt: moment('updated_at').notNull().defaultNow(),
});
