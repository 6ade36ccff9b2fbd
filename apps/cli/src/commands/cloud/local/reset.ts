import { resolve } from 'node:path';
import { BaseCommand } from '../../../base-command.ts';
import { confirmYes } from '../../../confirm.ts';
import { dataDirFlag, yesFlag } from '../../../flags.ts';
import { defaultDataDirectory } from '../../../local-cloud/data-directory.ts';
import { resetLocalCloud } from '../../../local-cloud/reset.ts';
import { findTenantPostgres, removeTenantPostgres } from '../../../local-tenant/tenant-postgres.ts';

/** What `cloud local reset` answers. */
export interface LocalResetResult {
  /** `false`: there was nothing. */
  readonly removed: boolean;
  /** Whether the embedded Postgres of local tenants is deleted, with their databases. */
  readonly postgresRemoved: boolean;
  readonly dataDir: string;
}

export default class LocalReset extends BaseCommand {
  static override summary = 'Delete the local cloud with all its tenants, and the Postgres of local tenants.';
  static override description = 'Stops it first when it runs. Without a terminal, --yes is needed.';
  static override examples = ['<%= config.bin %> <%= command.id %> --yes'];
  static override flags = { 'data-dir': dataDirFlag, yes: yesFlag };

  async run(): Promise<LocalResetResult> {
    const { flags } = await this.parse(LocalReset);
    const { cwd, env, signal, progress } = this.context;
    const dataDir = resolve(cwd, flags['data-dir'] ?? defaultDataDirectory(env));
    // It belongs to the computer, not to a local cloud in another folder.
    const postgres = dataDir === defaultDataDirectory(env) ? await findTenantPostgres(env) : undefined;
    const also = postgres === undefined ? '' : ', and the databases of all local tenants';
    const question = `Delete the local cloud in ${dataDir} with all its tenants${also}?`;
    const command = `${this.config.bin} cloud local reset`;
    await confirmYes(this.context, { question, yes: flags.yes, command, destroys: true });
    const step = progress.step('local-reset', 'Deleting the local cloud');
    const removed = await resetLocalCloud(dataDir, signal).catch((error: unknown) => {
      step.fail();
      throw error;
    });
    if (postgres !== undefined) await removeTenantPostgres(env);
    step.done();
    this.log(removed ? `The local cloud in ${dataDir} is deleted` : `There is no local cloud in ${dataDir}`);
    if (postgres !== undefined) this.log('The Postgres of local tenants is deleted');
    return { removed, postgresRemoved: postgres !== undefined, dataDir };
  }
}
