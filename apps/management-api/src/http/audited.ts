import type { Logger } from 'pino';
import type { AuditLog, AuditOutcome } from '../audit/audit-log.ts';
import type { Caller } from '../tokens/authenticator.ts';
import { clientGoneStatus } from './errors.ts';
import { failureOf } from './failure-of.ts';
import { replayedHeader } from './idempotency.ts';
import { loggableError } from './loggable-error.ts';

/**
 * Answers a request that changes something and keeps in the audit log who made it and what came of it. What cannot be
 * noted is not done; what was done and cannot be written stays noted, and gets its entry later.
 */
export async function audited(
  facts: {
    readonly name: string;
    readonly user: Caller;
    readonly requestId: string;
    readonly address: string | undefined;
    readonly tenantId: string | undefined;
  },
  { audit, logger }: { readonly audit: AuditLog; readonly logger: Logger },
  respond: () => Promise<Response>,
): Promise<Response> {
  const { name, user, requestId, address, tenantId } = facts;
  const begun = await audit.begin({
    actorKind: 'user',
    userId: user.id,
    sessionId: user.sessionId,
    apiTokenId: user.apiToken?.id,
    action: name,
    requestId,
    address,
    tenantId,
  });
  const end = async (outcome: AuditOutcome | undefined): Promise<void> => {
    try {
      await (outcome === undefined ? begun.drop() : begun.end(outcome));
    } catch (error) {
      logger.error({ requestId, action: name, err: loggableError(error) }, 'audit entry not written');
    }
  };
  try {
    const response = await respond();
    await end(response.headers.has(replayedHeader) ? undefined : { outcome: 'succeeded', status: response.status });
    return response;
  } catch (error) {
    const { status, code } = failureOf(error);
    if (status === clientGoneStatus) await end({ outcome: 'unknown', code });
    else await end({ outcome: status >= 500 ? 'failed' : 'refused', status, code });
    throw error;
  }
}
