import { Flags } from '@oclif/core';
import { BaseCommand } from '../../../base-command.ts';
import { renderFields } from '../../../output/table.ts';
import { shellWord } from '../../../shell-words.ts';
import { buyTenant, resumePurchase } from '../../../tenant-create/buy.ts';
import { deleteCheckout, findCheckout } from '../../../tenant-create/checkout-file.ts';
import { chooseTenant } from '../../../tenant-create/choose.ts';
import { type KeptTenant, keepTenant } from '../../../tenant-create/keep.ts';

/** What `cloud tenant create` answers. Credentials are in files only. */
export interface TenantCreateResult extends KeptTenant {
  readonly checkoutSessionId: string;
  /** Command lines that go on from here. */
  readonly next: readonly string[];
}

export default class TenantCreate extends BaseCommand {
  static override summary = 'Buy a new tenant and make a profile for it.';
  static override description =
    `Opens the payment page, waits until the tenant's infrastructure is ready, and keeps its credentials in this project. Deploy afterwards.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --name hello --plan starter --region iad --json',
    '<%= config.bin %> <%= command.id %> --resume last',
  ];
  static override flags = {
    name: Flags.string({
      summary: 'Name of the tenant: lower-case letters, digits and inner hyphens.',
      env: 'SYSTEMPROMPT_TENANT_NAME',
    }),
    plan: Flags.string({ summary: 'Id of a plan.', env: 'SYSTEMPROMPT_PLAN', helpValue: 'ID' }),
    region: Flags.string({ summary: 'Where it runs, such as iad or fra.', env: 'SYSTEMPROMPT_REGION' }),
    profile: Flags.string({
      summary: "Name of the new profile; without it, the tenant's name.",
      env: 'SYSTEMPROMPT_PROFILE',
    }),
    resume: Flags.string({
      summary: 'Take up a checkout that was interrupted: its session, or `last` for the one of this project.',
      env: 'SYSTEMPROMPT_CHECKOUT',
      helpValue: 'SESSION',
    }),
  };

  async run(): Promise<TenantCreateResult> {
    const { flags } = await this.parse(TenantCreate);
    const context = this.context;
    const project = context.requireProject();
    const api = await context.api();
    const deps = { context, api, project, bin: this.config.bin };
    const left = flags.resume === undefined ? undefined : await findCheckout(project, flags);
    const choice = left ?? (await chooseTenant(flags, deps));
    const bought = 'sessionId' in choice ? await resumePurchase(choice.sessionId, deps) : await buyTenant(choice, deps);
    const kept = await keepTenant({ ...bought, profileName: choice.profileName }, deps);
    await deleteCheckout(project);
    const next = [`${this.config.bin} cloud deploy --profile ${shellWord(kept.profile.name)}`];
    this.log(`Tenant ${kept.tenant.name} is ready for its first deploy`);
    const { id, region, hostname } = kept.tenant;
    this.log(renderFields({ Id: id, Region: region, Host: hostname, Profile: kept.profile.path, Next: next[0] }));
    return { ...kept, checkoutSessionId: bought.checkoutSessionId, next };
  }
}
