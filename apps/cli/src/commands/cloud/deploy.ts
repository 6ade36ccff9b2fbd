import { Flags } from '@oclif/core';
import { BaseCommand } from '../../base-command.ts';
import { type DeployPlanResult, planOnly, renderPlan } from '../../deploy/plan-only.ts';
import { type RunDeployResult, resumeRun, runDeploy } from '../../deploy/run-deploy.ts';
import { exitCodes } from '../../exit-codes.ts';
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
    '<%= config.bin %> <%= command.id %> --plan --json',
    '<%= config.bin %> <%= command.id %> --resume 0b1c6f4e-6d60-4d3c-9a53-0f7c0f5b7d11',
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
    plan: Flags.boolean({
      aliases: ['dry-run'],
      summary: 'Say what a deploy would do, and do nothing. Exit code 9: there is something to do.',
      env: 'SYSTEMPROMPT_PLAN_ONLY',
      exclusive: ['resume', 'skip-push'],
    }),
    resume: Flags.string({
      summary: 'Take up a deploy that was interrupted, by the operation of its event or error.',
      env: 'SYSTEMPROMPT_RESUME',
      helpValue: 'OPERATION',
    }),
    'sync-check': Flags.boolean({
      default: true,
      allowNo: true,
      summary: 'Stop when the running tenant has changes that this project lacks.',
      env: 'SYSTEMPROMPT_SYNC_CHECK',
    }),
    // What the predecessor took.
    'no-sync': Flags.boolean({ hidden: true }),
    yes: yesFlag,
  };

  async run(): Promise<RunDeployResult | DeployPlanResult> {
    const { flags } = await this.parse(Deploy);
    const { profile, builder, base, yes, resume, 'skip-push': skipPush } = flags;
    const syncCheck = flags['sync-check'] && !flags['no-sync'];
    const { bin } = this.config;
    if (flags.plan) {
      const plan = await planOnly(this.context, { profile, builder, base, bin });
      if (plan.changes !== false) process.exitCode = exitCodes.changesPending;
      this.log(renderPlan(plan));
      return plan;
    }
    const result =
      resume === undefined
        ? await runDeploy(this.context, { profile, builder, base, yes, skipPush, syncCheck, bin })
        : await resumeRun(this.context, { profile, operationId: resume, bin });
    const { tenantName, status, appUrl, digest, uploadedBytes, seconds } = result;
    const uploaded = uploadedBytes === undefined ? undefined : formatBytes(uploadedBytes);
    this.log(`${tenantName} is ${status}`);
    this.log(renderFields({ URL: appUrl, Digest: digest, Uploaded: uploaded, Took: formatSeconds(seconds) }));
    return result;
  }
}
