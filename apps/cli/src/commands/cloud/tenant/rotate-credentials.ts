import { Args } from '@oclif/core';
import { BaseCommand } from '../../../base-command.ts';
import { confirmYes } from '../../../confirm.ts';
import { yesFlag } from '../../../flags.ts';
import { keepCredentials } from '../../../tenant/keep-credentials.ts';
import { operate } from '../../../tenant/operate.ts';
import { findTarget } from '../../../tenant/target.ts';

/** What the rotating commands answer; the credentials are in files only. */
export interface RotateResult {
  readonly tenantId: string;
  readonly tenantName: string;
  /** `rotating`: the machine is still being replaced. */
  readonly status: string;
  /** Files that have the new credentials. */
  readonly written: readonly string[];
}

export default class RotateCredentials extends BaseCommand {
  static override summary = "Give a tenant's database a new password.";
  static override description =
    `The machine is replaced by one that knows it, and the files of this project are brought up to date. Without a terminal, --yes is needed.`;
  static override examples = ['<%= config.bin %> <%= command.id %> hello --yes'];
  static override args = { id: Args.string({ ignoreStdin: true, name: 'ID', description: 'Id or name of a tenant.' }) };
  static override flags = { yes: yesFlag };

  async run(): Promise<RotateResult> {
    const { args, flags } = await this.parse(RotateCredentials);
    const bin = `${this.config.bin} cloud tenant rotate-credentials`;
    const target = await findTarget(this.context, { tenant: args.id, command: `${bin} --yes`, as: '' });
    const { id, name, label, api } = target;
    const question = `Replace the database password of ${label}?`;
    await confirmYes(this.context, { question, yes: flags.yes, command: `${bin} ${id}` });
    // No signal, and no end before the end: the answer holds the only copy of the new password.
    const change = { id: 'rotate-credentials', title: `Rotating the credentials of ${label}`, next: [] };
    const { status, written } = await this.context.hold(async () => {
      let written: readonly string[] = [];
      const rotated = await operate(this.context, change, async () => {
        const answer = await api.tenants.rotateCredentials(id);
        const { externalDatabaseUrl: external, internalDatabaseUrl: internal } = answer;
        const isFailed = answer.status === 'failed';
        // What a failure does not bring must not take the place of what works.
        if (isFailed && !(URL.canParse(external) && URL.canParse(internal))) return answer;
        const urls = { database_url: external, external_database_url: external, internal_database_url: internal };
        // Also of a rotation that failed: the new password may work by then, and nobody else has it.
        written = await keepCredentials(this.context, target, urls);
        if (isFailed) this.context.warn(`The password that works is in ${written.join(', ')}`);
        return answer;
      });
      return { status: rotated.status, written };
    });
    this.log(`The new password of ${name} is in ${written.join(', ')}`);
    return { tenantId: id, tenantName: name, status, written };
  }
}
