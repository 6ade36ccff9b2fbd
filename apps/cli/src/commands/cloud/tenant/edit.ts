import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../../../base-command.ts';
import { CliError } from '../../../cli-error.ts';
import { editLocalTenant } from '../../../local-tenant/edit-local-tenant.ts';
import { findLocalTenant } from '../../../local-tenant/find-local-tenant.ts';
import { shellWord } from '../../../shell-words.ts';
import { askTenantChanges, changeLabels, checkTenantChanges } from '../../../tenant/edit-changes.ts';
import { findTarget } from '../../../tenant/target.ts';

/** What `cloud tenant edit` answers: the tenant as it is now. */
export interface TenantEditResult {
  readonly tenantId: string;
  readonly tenantName: string;
  /** What was asked to be changed. */
  readonly changed: readonly string[];
}

export default class TenantEdit extends BaseCommand {
  static override summary = 'Change the name, the memory or the database access of a tenant.';
  static override description = 'The address stays. Memory is what the machine gets at its next start: cloud restart.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> hello --memory 512',
    '<%= config.bin %> <%= command.id %> hello --no-external-db-access --json',
  ];
  static override args = { id: Args.string({ ignoreStdin: true, name: 'ID', description: 'Id or name of a tenant.' }) };
  static override flags = {
    name: Flags.string({ summary: 'A new name.', env: 'SYSTEMPROMPT_TENANT_NAME' }),
    memory: Flags.integer({
      summary: 'Memory in MiB, at most what the plan has.',
      min: 128,
      max: 1_048_576,
      env: 'SYSTEMPROMPT_MEMORY',
    }),
    'database-url-stdin': Flags.boolean({
      summary: 'Read a new URL for the database of a local tenant from stdin.',
      env: 'SYSTEMPROMPT_DATABASE_URL_STDIN',
    }),
    'external-db-access': Flags.boolean({
      summary: 'Whether the database can be reached from outside.',
      allowNo: true,
      env: 'SYSTEMPROMPT_EXTERNAL_DB_ACCESS',
    }),
  };

  async run(): Promise<TenantEditResult> {
    const { args, flags } = await this.parse(TenantEdit);
    const changes = { name: flags.name, memoryMb: flags.memory, externalDbAccess: flags['external-db-access'] };
    const changed = Object.entries(changes).flatMap(([name, value]) => (value === undefined ? [] : name));
    if (flags['database-url-stdin']) changed.push('databaseUrl');
    const command = `${this.config.bin} cloud tenant edit`;
    const local = await findLocalTenant(this.context, args.id);
    const ask = changed.length === 0 && local === undefined && this.context.interactive;
    if (changed.length === 0 && !ask) {
      const next = [
        `${command} ${shellWord(args.id ?? 'hello')} ${local === undefined ? '--memory 512' : '--name new-name'}`,
      ];
      const missing =
        local === undefined ? ['--name', '--memory', '--external-db-access'] : ['--name', '--database-url-stdin'];
      throw new CliError('SP_CLI_INPUT_NEEDED', 'There is nothing to change', { flags: missing, next });
    }
    if (local !== undefined) {
      await editLocalTenant(local, { context: this.context, flags });
      this.log(changedLine(changed, flags.name ?? local.name));
      return { tenantId: local.id, tenantName: flags.name ?? local.name, changed };
    }
    if (flags['database-url-stdin']) {
      throw new CliError(
        'SP_CLI_USAGE',
        '--database-url-stdin is for local tenants: the database of a tenant in the cloud is its own',
      );
    }
    const { id, label, api, info, project } = await findTarget(this.context, { tenant: args.id, command, as: '' });
    const wanted = ask ? await askTenantChanges(info) : changes;
    checkTenantChanges(wanted, info);
    this.context.progress.note(`Changing ${label}`);
    const updated = await api.tenants.update(id, wanted, { ifVersion: info.version, signal: this.context.signal });
    const { mergeTenantInfos } = await import('@sp/tenants');
    await mergeTenantInfos(project.localTenants, [updated]);
    const named = ask ? Object.keys(wanted) : changed;
    this.log(changedLine(named, updated.name));
    return { tenantId: id, tenantName: updated.name, changed: named };
  }
}

/** The members by what people call them. */
function changedLine(members: readonly string[], tenant: string): string {
  return `Changed ${members.map((member) => changeLabels[member] ?? member).join(', ')} of ${tenant}`;
}
