import { Flags } from '@oclif/core';
import type { DeployResult } from '@sp/deploy';
import { BaseCommand } from '../../base-command.ts';
import { CliError } from '../../cli-error.ts';
import { pickProfile } from '../../deploy-profile.ts';
import { followDeploy } from '../../deploy-progress.ts';
import { profileFlag, yesFlag } from '../../flags.ts';
import { imageCacheDirectory } from '../../local-cloud/data-directory.ts';
import { formatBytes } from '../../output/bytes.ts';
import { formatSeconds } from '../../output/duration.ts';
import { renderFields } from '../../output/table.ts';

/** What `cloud deploy` answers. */
export type CloudDeployResult = DeployResult & { readonly profile: string };

export default class Deploy extends BaseCommand {
  static override summary = 'Build, push and run this project on its tenant.';
  static override description =
    `Makes an image of the project, pushes what the registry does not have yet, sends the profile's secrets, and waits until the new machine is healthy. When it is not, the tenant stays on its old release.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --profile production --yes --json',
  ];
  static override flags = {
    profile: profileFlag,
    builder: Flags.option({
      summary: 'docker, oci (no Docker needed), or auto.',
      options: ['auto', 'oci', 'docker'] as const,
      default: 'auto',
      env: 'SYSTEMPROMPT_BUILDER',
    })(),
    base: Flags.string({
      summary: 'What the image builds on: an image reference, oci:<layout folder>, or scratch.',
      env: 'SYSTEMPROMPT_BASE',
      helpValue: 'REF',
    }),
    'skip-push': Flags.boolean({ summary: 'Run what was pushed last.', env: 'SYSTEMPROMPT_SKIP_PUSH' }),
    yes: yesFlag,
  };

  async run(): Promise<CloudDeployResult> {
    const { flags } = await this.parse(Deploy);
    const { interactive, signal, env, progress } = this.context;
    const project = this.context.requireProject();
    const { name, tenantId } = await pickProfile(flags.profile, {
      context: this.context,
      project,
      bin: this.config.bin,
    });
    const api = await this.context.api();
    const tenant = await api.tenants.get(tenantId, { signal });
    const target = `${tenant.name} (${tenantId}${tenant.hostname === undefined ? '' : `, ${tenant.hostname}`})`;
    progress.note(`Deploying the profile ${name} to the tenant ${target}`);
    if (interactive && !flags.yes) {
      const { askConfirm } = await import('../../prompts.ts');
      if (!(await askConfirm(`Deploy to ${tenant.name}?`)))
        throw new CliError('SP_CLI_CANCELLED', 'Nothing was deployed');
    }
    const [{ deploy }, { loadSecrets, secretsToEnvironment }] = await Promise.all([
      import('@sp/deploy'),
      import('@sp/tenants'),
    ]);
    const events = deploy({
      api,
      tenantId,
      planOptions: { projectRoot: project.root, profileName: name, base: flags.base },
      builder: flags.builder,
      cacheDirectory: imageCacheDirectory(env),
      secrets: secretsToEnvironment((await loadSecrets(project.profile(name).secrets)) ?? {}),
      skipPush: flags['skip-push'],
      signal,
    });
    const result = await followDeploy(events, progress);
    this.log(`${tenant.name} is ${result.status}`);
    const uploaded = result.uploadedBytes === undefined ? undefined : formatBytes(result.uploadedBytes);
    this.log(
      renderFields({
        URL: result.appUrl,
        Digest: result.digest,
        Uploaded: uploaded,
        Took: formatSeconds(result.seconds),
      }),
    );
    return { ...result, profile: name };
  }
}
