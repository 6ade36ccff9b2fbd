import { Flags } from '@oclif/core';
import type { DeployResult } from '@sp/deploy';
import { BaseCommand } from '../../base-command.ts';
import { confirmYes } from '../../confirm.ts';
import { followDeploy, servingRelease } from '../../deploy/follow-deploy.ts';
import { profileFlag, tenantFlag, yesFlag } from '../../flags.ts';
import { renderFields } from '../../output/table.ts';
import { findTarget } from '../../tenant/target.ts';

/** What `cloud rollback` answers. */
export interface RollbackResult extends DeployResult {
  readonly tenantName: string;
}

export default class Rollback extends BaseCommand {
  static override summary = 'Bring back an earlier release.';
  static override description =
    `Its image and its secrets run again, as a new release. Without --release: what ran before. Without a terminal, --yes is needed.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --release 3 --yes --json',
  ];
  static override flags = {
    release: Flags.integer({ summary: 'Number of a release.', min: 1, env: 'SYSTEMPROMPT_RELEASE' }),
    tenant: tenantFlag,
    profile: profileFlag,
    yes: yesFlag,
  };

  async run(): Promise<RollbackResult> {
    const { flags } = await this.parse(Rollback);
    const { release, tenant, profile, yes } = flags;
    const { signal, progress } = this.context;
    const command = `${this.config.bin} cloud rollback${release === undefined ? '' : ` --release ${release}`}`;
    const { id, name, label, api } = await findTarget(this.context, { tenant, profile, command: `${command} --yes` });
    const what = release === undefined ? 'the release before' : `release ${release}`;
    const question = `Bring ${label} back to ${what}?`;
    await confirmYes(this.context, { question, yes, command: `${command} --tenant ${id}` });
    const next = (): string => `${this.config.bin} cloud status --tenant ${id} --watch`;
    const { rollback } = await import('@sp/deploy');
    const result = await followDeploy(rollback({ api, tenantId: id, release, signal }), {
      progress,
      next,
      serving: () => servingRelease({ api, tenantId: id, signal }),
    });
    this.log(`${name} is ${result.status}`);
    this.log(renderFields({ URL: result.appUrl, Digest: result.digest, Release: result.release?.toString() }));
    return { ...result, tenantName: name };
  }
}
