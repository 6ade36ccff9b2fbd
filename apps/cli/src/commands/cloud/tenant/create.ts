import { Flags } from '@oclif/core';
import type { ProjectContext } from '@sp/paths';
import { BaseCommand } from '../../../base-command.ts';
import { createLocalTenant, type LocalTenantFlags } from '../../../local-tenant/create-local-tenant.ts';
import type { PostgresKind } from '../../../local-tenant/postgres-of.ts';
import { renderFields } from '../../../output/table.ts';
import { shellWord } from '../../../shell-words.ts';
import { buyTenant, resumePurchase } from '../../../tenant-create/buy.ts';
import { deleteCheckout } from '../../../tenant-create/checkout-file.ts';
import { chooseTenant } from '../../../tenant-create/choose.ts';
import { askExternalAccess, openDatabase } from '../../../tenant-create/external-access.ts';
import { type KeptTenant, keepTenant } from '../../../tenant-create/keep.ts';
import { findLeftCheckout } from '../../../tenant-create/left-checkout.ts';

/** What `cloud tenant create` answers. Credentials are in files only. */
export interface TenantCreateResult extends KeptTenant {
  /** Absent for a local tenant: nothing was bought. */
  readonly checkoutSessionId?: string | undefined;
  /** Of a local tenant: on which kind of server its database is. */
  readonly database?: PostgresKind | undefined;
  /** Of a tenant in the cloud: whether its database can be reached from outside, such as for backups. */
  readonly externalDbAccess?: boolean | undefined;
  /** Command lines that go on from here. */
  readonly next: readonly string[];
}

export default class TenantCreate extends BaseCommand {
  static override summary = 'Buy a new tenant and make a profile for it.';
  static override description =
    `Opens the payment page, waits until the tenant's infrastructure is ready, and keeps its credentials in this project. Deploy afterwards. With --type local nothing is bought: the tenant is a database on this computer, or one of your own, and a profile for it.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --name hello --plan starter --region iad --external-db-access --json',
    '<%= config.bin %> <%= command.id %> --resume last',
    '<%= config.bin %> <%= command.id %> --type local --name dev --database docker',
  ];
  static override flags = {
    type: Flags.option({
      options: ['cloud', 'local'] as const,
      default: 'cloud',
      summary: 'In the cloud, or on this computer.',
      env: 'SYSTEMPROMPT_TENANT_TYPE',
    })(),
    name: Flags.string({
      summary: 'Name of the tenant: lower-case letters, digits and inner hyphens.',
      env: 'SYSTEMPROMPT_TENANT_NAME',
    }),
    plan: Flags.string({ summary: 'Id of a plan.', env: 'SYSTEMPROMPT_PLAN', helpValue: 'ID' }),
    region: Flags.string({ summary: 'Where it runs, such as iad or fra.', env: 'SYSTEMPROMPT_REGION' }),
    // A variable of its own: SYSTEMPROMPT_PROFILE names a profile that there is.
    profile: Flags.string({
      summary: "Name of the new profile; without it, the tenant's name.",
      env: 'SYSTEMPROMPT_NEW_PROFILE',
    }),
    resume: Flags.string({
      summary: 'Take up a checkout that was interrupted: its session, or `last` for the one of this project.',
      env: 'SYSTEMPROMPT_CHECKOUT',
      helpValue: 'SESSION',
    }),
    'new-checkout': Flags.boolean({
      summary: 'Buy another tenant although a checkout of this project was left.',
      env: 'SYSTEMPROMPT_NEW_CHECKOUT',
      exclusive: ['resume'],
    }),
    'external-db-access': Flags.boolean({
      summary: 'Whether the database can be reached from outside, as db backup needs it; without a terminal: no.',
      allowNo: true,
      env: 'SYSTEMPROMPT_EXTERNAL_DB_ACCESS',
    }),
    database: Flags.option({
      options: ['docker', 'embedded', 'external'] as const,
      summary: 'Postgres of a local tenant: in Docker, without Docker, or your own.',
      env: 'SYSTEMPROMPT_DATABASE',
    })(),
    'database-url-stdin': Flags.boolean({
      summary: 'Read the URL of your own Postgres from stdin.',
      env: 'SYSTEMPROMPT_DATABASE_URL_STDIN',
    }),
  };

  async run(): Promise<TenantCreateResult> {
    const { flags } = await this.parse(TenantCreate);
    const context = this.context;
    const project = context.requireProject();
    if (flags.type === 'local') return await this.createLocal(flags, project);
    const api = await context.api();
    const deps = { context, api, project, bin: this.config.bin };
    const left = await findLeftCheckout(flags, deps);
    const choice = left ?? (await chooseTenant(flags, deps));
    const wanted = flags['external-db-access'] ?? left?.externalDbAccess ?? (await askExternalAccess(context));
    const bought =
      'sessionId' in choice
        ? await resumePurchase(choice, deps)
        : await buyTenant({ ...choice, externalDbAccess: wanted }, deps);
    const externalDbAccess = wanted && (await openDatabase(bought.tenantId, deps));
    const kept = await keepTenant({ ...bought, profileName: choice.profileName }, deps);
    deleteCheckout(project, bought.checkoutSessionId);
    const next = [`${this.config.bin} cloud deploy --profile ${shellWord(kept.profile.name)}`];
    this.log(`Tenant ${kept.tenant.name} is ready for its first deploy`);
    const { id, region, hostname } = kept.tenant;
    const access = externalDbAccess ? 'from outside too' : 'from the tenant only';
    const { path } = kept.profile;
    this.log(renderFields({ Id: id, Region: region, Host: hostname, Database: access, Profile: path, Next: next[0] }));
    return { ...kept, checkoutSessionId: bought.checkoutSessionId, externalDbAccess, next };
  }

  private async createLocal(flags: LocalTenantFlags, project: ProjectContext): Promise<TenantCreateResult> {
    const { bin } = this.config;
    const made = await createLocalTenant(flags, { context: this.context, project, bin });
    const next = [`${bin} cloud db tables --profile ${shellWord(made.profile.name)}`];
    this.log(`Tenant ${made.tenant.name} is on this computer`);
    this.log(renderFields({ Id: made.tenant.id, Database: made.database, Profile: made.profile.path, Next: next[0] }));
    return { ...made, next };
  }
}
