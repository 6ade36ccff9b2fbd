import { connect } from 'node:net';
import { join } from 'node:path';
import { readPrivateFile } from '@sp/private-file';
import type { Context } from '../context.ts';
import { dockerFolder, isEmbedded, startPostgres } from './postgres-of.ts';

/** Starts the server of a local tenant's database again when it is one of ours and does not run, as after a reboot. */
export async function wakeDatabase(context: Context, url: string): Promise<void> {
  if (!URL.canParse(url)) return;
  const { hostname, port } = new URL(url);
  if (!['127.0.0.1', 'localhost'].includes(hostname) || (await answers(Number(port || 5432)))) return;
  const kind = (await isDocker(context, port)) ? 'docker' : (await isEmbedded(context, url)) ? 'embedded' : undefined;
  if (kind === undefined) return;
  const step = context.progress.step('postgres', 'Starting the Postgres of local tenants');
  try {
    await startPostgres(context, kind);
    step.done();
  } catch (error) {
    step.fail();
    throw error;
  }
}

async function isDocker(context: Context, port: string): Promise<boolean> {
  const text = await readPrivateFile(join(dockerFolder(context), 'shared_config.json'));
  try {
    return (JSON.parse(text ?? '{}') as { port?: unknown }).port === Number(port);
  } catch {
    return false;
  }
}

async function answers(port: number): Promise<boolean> {
  const socket = connect({ host: '127.0.0.1', port });
  try {
    return await new Promise((done) => {
      socket.once('connect', () => done(true));
      socket.once('error', () => done(false));
    });
  } finally {
    socket.destroy();
  }
}
