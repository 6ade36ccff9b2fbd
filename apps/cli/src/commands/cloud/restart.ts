import { BaseCommand } from '../../base-command.ts';
import { confirmYes } from '../../confirm.ts';
import { profileFlag, tenantFlag, yesFlag } from '../../flags.ts';
import { operate } from '../../tenant/operate.ts';
import { findTarget } from '../../tenant/target.ts';

/** What `cloud restart` answers. */
export interface RestartResult {
  readonly tenantId: string;
  readonly tenantName: string;
  /** `restarting` when it was not healthy yet. */
  readonly status: string;
}

export default class Restart extends BaseCommand {
  static override summary = "Restart a tenant's machine.";
  static override description =
    'It stops, and starts with its secrets and settings as they are now. Without a terminal, --yes is needed.';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --tenant hello --yes --json',
  ];
  static override flags = { tenant: tenantFlag, profile: profileFlag, yes: yesFlag };

  async run(): Promise<RestartResult> {
    const { flags } = await this.parse(Restart);
    const { tenant, profile, yes } = flags;
    const bin = `${this.config.bin} cloud restart`;
    const { id, name, label, api } = await findTarget(this.context, { tenant, profile, command: `${bin} --yes` });
    await confirmYes(this.context, { question: `Restart ${label}?`, yes, command: `${bin} --tenant ${id}` });
    const { signal } = this.context;
    const next = [`${this.config.bin} cloud status --tenant ${id} --watch`];
    const change = { id: 'restart', title: `Restarting ${label}`, next };
    const { status } = await operate(this.context, change, () => api.tenants.restart(id, { signal }));
    this.log(`${name} is ${status}`);
    return { tenantId: id, tenantName: name, status };
  }
}
