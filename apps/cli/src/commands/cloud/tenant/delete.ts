import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../../../base-command.ts';
import { confirmByName } from '../../../confirm.ts';
import { confirmFlag } from '../../../flags.ts';
import { deleteLocalTenant, deleteUnfinishedTenant } from '../../../local-tenant/delete-local-tenant.ts';
import { findLocalTenant } from '../../../local-tenant/find-local-tenant.ts';
import { findUnfinished } from '../../../local-tenant/unfinished-tenants.ts';
import { shellWord } from '../../../shell-words.ts';
import { forgetTenant } from '../../../tenant/forget.ts';
import { operate } from '../../../tenant/operate.ts';
import { findTarget } from '../../../tenant/target.ts';

/** What `cloud tenant delete` answers. */
export interface TenantDeleteResult {
  readonly tenantId: string;
  readonly tenantName: string;
  readonly deleted: true;
  /** Profiles of this project that have no tenant now; they stay. */
  readonly profiles: readonly string[];
  /** Of a local tenant: what happened to its database. */
  readonly database?: 'kept' | 'deleted' | undefined;
}

export default class TenantDelete extends BaseCommand {
  static override summary = 'Delete a tenant with its database, its images and its secrets.';
  static override description =
    'Nothing of it can be brought back. It asks for the name; without a terminal: --confirm, and for a local tenant --data.';
  static override examples = ['<%= config.bin %> <%= command.id %> hello --confirm hello'];
  static override args = { id: Args.string({ ignoreStdin: true, name: 'ID', description: 'Id or name of a tenant.' }) };
  static override flags = {
    confirm: confirmFlag,
    data: Flags.option({
      options: ['keep', 'delete'] as const,
      summary: 'What happens to the database of a local tenant.',
      env: 'SYSTEMPROMPT_DATA',
    })(),
  };

  async run(): Promise<TenantDeleteResult> {
    const { args, flags } = await this.parse(TenantDelete);
    const bin = `${this.config.bin} cloud tenant delete`;
    const local = await findLocalTenant(this.context, args.id);
    if (local !== undefined) {
      const { profiles, database } = await deleteLocalTenant(local, { context: this.context, flags, command: bin });
      this.log(`${local.name} is deleted; its database is ${database === 'deleted' ? 'deleted too' : 'still there'}`);
      this.tellOf(profiles);
      return { tenantId: local.id, tenantName: local.name, deleted: true, profiles, database };
    }
    const unfinished = await findUnfinished(this.context.project, args.id);
    if (unfinished !== undefined) {
      const { id, name } = unfinished;
      const ended = await deleteUnfinishedTenant(unfinished, { context: this.context, flags, command: bin });
      this.log(`What there was of ${name} is deleted`);
      this.tellOf(ended.profiles);
      return { tenantId: id, tenantName: name, deleted: true, ...ended };
    }
    const target = await findTarget(this.context, { tenant: args.id, command: bin, as: '' });
    const { id, name, label, api } = target;
    const warning = `Deleting ${label} ends its subscription and destroys its database.`;
    await confirmByName(this.context, { name, given: flags.confirm, warning, command: `${bin} ${id}` });
    const next = [`${this.config.bin} cloud tenant list`];
    await operate(this.context, { id: 'delete', title: `Deleting ${label}`, next }, async () => {
      await api.tenants.delete(id, { signal: this.context.signal });
      return {};
    });
    const profiles = await forgetTenant(this.context, target);
    this.log(`${name} is deleted`);
    this.tellOf(profiles);
    return { tenantId: id, tenantName: name, deleted: true, profiles };
  }

  /** They stay, because they hold what people wrote. */
  private tellOf(profiles: readonly string[]): void {
    for (const profile of profiles) {
      this.log(`Its profile is left: ${this.config.bin} cloud profile delete ${shellWord(profile)}`);
    }
  }
}
