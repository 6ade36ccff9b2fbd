import { randomBytes } from 'node:crypto';
import { closeOperation } from '../tenants/operations.ts';
import { readSecrets, setSecrets } from '../tenants/secrets.ts';
import { replaceMachine } from './replace-machine.ts';
import type { OperationInput } from './run-operation.ts';
import { runStep } from './step.ts';
import type { WorkflowContext } from './workflow-context.ts';

const current = 'SYNC_TOKEN';
const previous = 'PREVIOUS_SYNC_TOKEN';

/** Makes a new synchronisation token and replaces the machine; when that fails, the token of before is the token again. */
export async function rotateSyncToken(context: WorkflowContext, input: OperationInput): Promise<void> {
  const { operationId, tenant } = input;
  const step = <T>(name: string, work: () => Promise<T>): Promise<T> => runStep(context, { name }, work);
  const write = (secrets: Readonly<Record<string, string>>): Promise<void> =>
    setSecrets(context, { tenantId: tenant.id, kind: 'platform', secrets });

  await step('keep token', async () => {
    const secrets = await readSecrets(context, { tenantId: tenant.id, kind: 'platform' });
    await write({ [previous]: secrets[current] ?? '' });
  });
  await step('make token', () => write({ [current]: randomBytes(32).toString('base64url') }));
  const failure = await replaceMachine(context, { ...input, databaseLogin: tenant.databaseLogin });
  await step('settle token', async () => {
    const secrets = await readSecrets(context, { tenantId: tenant.id, kind: 'platform' });
    const kept = secrets[previous] ?? '';
    const restored = failure !== undefined && kept !== '' ? { [current]: kept } : {};
    await write({ ...restored, [previous]: '' });
  });
  await step('finish rotation', () => closeOperation(context.store.db, { id: operationId, failure }));
}
