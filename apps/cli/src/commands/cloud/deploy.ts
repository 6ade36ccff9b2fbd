import { Flags } from '@oclif/core';
import { BaseCommand } from '../../base-command.ts';
import { type RunDeployResult, runDeploy } from '../../deploy/run-deploy.ts';
import { baseFlag, profileFlag, yesFlag } from '../../flags.ts';
import { formatBytes } from '../../output/bytes.ts';
import { formatSeconds } from '../../output/duration.ts';
import { renderFields } from '../../output/table.ts';

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
    base: baseFlag,
    'skip-push': Flags.boolean({ summary: 'Run what was pushed last.', env: 'SYSTEMPROMPT_SKIP_PUSH' }),
    yes: yesFlag,
  };

  async run(): Promise<RunDeployResult> {
    const { flags } = await this.parse(Deploy);
    const { profile, builder, base, yes, 'skip-push': skipPush } = flags;
    const result = await runDeploy(this.context, { profile, builder, base, yes, skipPush, bin: this.config.bin });
    const { tenantName, status, appUrl, digest, uploadedBytes, seconds } = result;
    const uploaded = uploadedBytes === undefined ? undefined : formatBytes(uploadedBytes);
    this.log(`${tenantName} is ${status}`);
    this.log(renderFields({ URL: appUrl, Digest: digest, Uploaded: uploaded, Took: formatSeconds(seconds) }));
    return result;
  }
}
