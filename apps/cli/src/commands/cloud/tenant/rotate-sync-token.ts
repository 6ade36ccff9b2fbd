import { Args } from '@oclif/core';
import { BaseCommand } from '../../../base-command.ts';
import { confirmYes } from '../../../confirm.ts';
import { yesFlag } from '../../../flags.ts';
import { keepCredentials } from '../../../tenant/keep-credentials.ts';
import { operate } from '../../../tenant/operate.ts';
import { findTarget } from '../../../tenant/target.ts';
import type { RotateResult } from './rotate-credentials.ts';

export default class RotateSyncToken extends BaseCommand {
  static override summary = 'Give a tenant a new token for file synchronisation.';
  static override description =
    `The machine is replaced by one that knows it, and the files of this project are brought up to date. Without a terminal, --yes is needed.`;
  static override examples = ['<%= config.bin %> <%= command.id %> hello --yes'];
  static override args = { id: Args.string({ ignoreStdin: true, name: 'ID', description: 'Id or name of a tenant.' }) };
  static override flags = { yes: yesFlag };

  async run(): Promise<RotateResult> {
    const { args, flags } = await this.parse(RotateSyncToken);
    const bin = `${this.config.bin} cloud tenant rotate-sync-token`;
    const target = await findTarget(this.context, { tenant: args.id, command: `${bin} --yes`, as: '' });
    const { id, name, label, api } = target;
    const question = `Replace the synchronisation token of ${label}?`;
    await confirmYes(this.context, { question, yes: flags.yes, command: `${bin} ${id}` });
    const change = { id: 'rotate-sync-token', title: `Rotating the token of ${label}`, next: [] };
    // No signal, and no end before the end: the answer holds the only copy of the new token.
    const written = await this.context.hold(async () => {
      const { syncToken } = await operate(this.context, change, async () => ({
        ...(await api.tenants.rotateSyncToken(id)),
        status: 'success',
      }));
      return keepCredentials(this.context, target, { sync_token: syncToken });
    });
    this.log(`The new token of ${name} is in ${written.join(', ')}`);
    return { tenantId: id, tenantName: name, status: 'success', written };
  }
}
