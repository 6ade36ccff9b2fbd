import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../../../base-command.ts';
import { findTarget } from '../../../tenant/target.ts';

/** What `cloud tenant billing` answers. */
export interface TenantBillingResult {
  readonly tenantId: string;
  readonly tenantName: string;
  /** Of the payment provider. Whoever has it can see and change the subscription. */
  readonly url: string;
}

export default class TenantBilling extends BaseCommand {
  static override summary = 'Open the page with the invoices and the payment method of a tenant.';
  static override description =
    "It is the payment provider's own, by a link that is made for you and ends after a while: do not pass it on. With --json nothing is opened.";
  static override examples = [
    '<%= config.bin %> <%= command.id %> hello',
    '<%= config.bin %> <%= command.id %> hello --no-open',
  ];
  static override args = { id: Args.string({ ignoreStdin: true, name: 'ID', description: 'Id or name of a tenant.' }) };
  static override flags = {
    open: Flags.boolean({
      default: true,
      allowNo: true,
      summary: 'Open the page in the browser.',
      env: 'SYSTEMPROMPT_OPEN',
    }),
  };

  async run(): Promise<TenantBillingResult> {
    const { args, flags } = await this.parse(TenantBilling);
    const { signal, warn } = this.context;
    const command = `${this.config.bin} cloud tenant billing`;
    const { id, name, api } = await findTarget(this.context, { tenant: args.id, command, as: '' });
    const { url } = await api.subscription.createPortalLink(id, { signal });
    this.log(url);
    if (flags.open && !this.jsonEnabled()) {
      await this.context.openBrowser(url).catch((error: unknown) => {
        warn(`No browser could be opened: ${error instanceof Error ? error.message : 'unknown reason'}`);
      });
    }
    return { tenantId: id, tenantName: name, url };
  }
}
