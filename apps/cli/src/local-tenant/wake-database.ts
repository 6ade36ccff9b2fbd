import type { Context } from '../context.ts';
import { isListening } from './is-listening.ts';
import { ownServer, startPostgres } from './postgres-of.ts';

/** Starts the server of a local tenant's database again when it is one of ours and does not run, as after a reboot. */
export async function wakeDatabase(context: Context, url: string): Promise<void> {
  const kind = await ownServer(context, url);
  if (kind === undefined || (await isListening(Number(new URL(url).port || 5432)))) return;
  const step = context.progress.step('postgres', 'Starting the Postgres of local tenants');
  try {
    await startPostgres(context, kind);
    step.done();
  } catch (error) {
    step.fail();
    throw error;
  }
}
