import { Args } from '@oclif/core';
import { BaseCommand } from '../../../base-command.ts';
import { CliError } from '../../../cli-error.ts';
import { tenantFlag } from '../../../flags.ts';
import { findLocalTenant } from '../../../local-tenant/find-local-tenant.ts';
import { renderFields } from '../../../output/table.ts';
import { shellWord } from '../../../shell-words.ts';
import { findTarget } from '../../../tenant/target.ts';

/** What `cloud profile create` answers. */
export interface ProfileCreateResult {
  readonly name: string;
  readonly path: string;
  readonly secretsPath: string;
  readonly tenantId: string;
}

export default class ProfileCreate extends BaseCommand {
  static override summary = 'Make a profile for a tenant whose credentials this project has.';
  static override description =
    `profile.yaml, to be committed, and secrets.json, which is not. API keys are set afterwards: cloud profile edit, or cloud secrets set.`;
  static override examples = ['<%= config.bin %> <%= command.id %> staging --tenant hello'];
  static override args = {
    name: Args.string({
      ignoreStdin: true,
      name: 'NAME',
      description: 'Letters, digits, "_" and "-".',
      required: true,
    }),
  };
  static override flags = { tenant: tenantFlag };

  async run(): Promise<ProfileCreateResult> {
    const { args, flags } = await this.parse(ProfileCreate);
    const command = `${this.config.bin} cloud profile create ${shellWord(args.name)}`;
    const { createProfile, loadTenants } = await import('@sp/tenants');
    const local = await findLocalTenant(this.context, flags.tenant);
    const project = this.context.requireProject();
    const { id, name: tenantName } = local ?? (await findTarget(this.context, { tenant: flags.tenant, command }));
    const tenant = local ?? (await loadTenants(project.localTenants))?.tenants.find((stored) => stored.id === id);
    if (tenant?.databaseUrl === undefined) {
      throw new CliError(
        'SP_CLI_CREDENTIALS_UNAVAILABLE',
        `This project does not have the credentials of ${tenantName}`,
        {
          tenantId: id,
          next: [`${this.config.bin} cloud tenant rotate-credentials ${id} --yes`],
        },
      );
    }
    const { name } = args;
    const directory = project.profile(name).dir;
    // A cloud that is itself reached over http has its tenants there too.
    const useHttps = local !== undefined || !(await this.context.credentials()).credentials.apiUrl.startsWith('http:');
    const created = await createProfile({ directory, name, tenant, projectRoot: project.root, useHttps });
    this.log(`The profile ${name} is made`);
    this.log(renderFields({ File: created.profilePath, Secrets: created.secretsPath, Tenant: tenantName }));
    return { name, path: created.profilePath, secretsPath: created.secretsPath, tenantId: id };
  }
}
