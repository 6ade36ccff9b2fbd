import { ApiFailure } from '../http/errors.ts';
import type { Handlers } from '../http/handlers.ts';

const pending = (): Promise<never> =>
  Promise.reject(new ApiFailure('This is not served yet.', { status: 501, code: 'not_implemented' }));

export const pendingTokens: Handlers['apiTokens'] = { list: pending, create: pending, delete: pending };
export const pendingReading: Pick<Handlers['tenants'], 'getLogs' | 'followLogs' | 'listAuditEntries'> = {
  getLogs: pending,
  followLogs: pending,
  listAuditEntries: pending,
};
