import { resolve } from 'node:path';
import { BaseCommand } from '../../../base-command.ts';
import { dataDirFlag } from '../../../flags.ts';
import { defaultDataDirectory } from '../../../local-cloud/data-directory.ts';
import { findLocalCloud } from '../../../local-cloud/state.ts';
import { stopLocalCloud } from '../../../local-cloud/stop.ts';
import { findTenantPostgres, stopTenantPostgres } from '../../../local-tenant/tenant-postgres.ts';

/** What `cloud local down` answers. */
export interface LocalDownResult {
  /** `false`: none was running. */
  readonly stopped: boolean;
  /** Whether the embedded Postgres of local tenants was running, and has stopped. */
  readonly postgresStopped: boolean;
  readonly dataDir: string;
}

export default class LocalDown extends BaseCommand {
  static override summary = 'Stop the local cloud and the Postgres of local tenants; their data stay.';
  static override description = 'Waits until everything has stopped. Repeating it is no error.';
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --json'];
  static override flags = { 'data-dir': dataDirFlag };

  async run(): Promise<LocalDownResult> {
    const { flags } = await this.parse(LocalDown);
    const { cwd, env, signal, progress } = this.context;
    const dataDir = resolve(cwd, flags['data-dir'] ?? defaultDataDirectory(env));
    const running = await findLocalCloud(dataDir);
    // It belongs to the computer, not to a local cloud in another folder.
    const postgres = dataDir === defaultDataDirectory(env) ? await findTenantPostgres(env) : undefined;
    const postgresStopped = postgres?.running === true;
    if (postgresStopped) {
      await stopTenantPostgres(env);
      this.log('The Postgres of local tenants has stopped');
    }
    if (running === undefined) {
      this.log('No local cloud was running');
      return { stopped: false, postgresStopped, dataDir };
    }
    const step = progress.step('local-down', 'Stopping the local cloud');
    try {
      await stopLocalCloud(running, { signal });
      step.done();
      this.log(`The local cloud at ${running.url} has stopped`);
      return { stopped: true, postgresStopped, dataDir };
    } catch (error) {
      step.fail();
      throw error;
    }
  }
}
