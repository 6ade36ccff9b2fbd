import { Flags } from '@oclif/core';
import { green, red, yellow } from 'ansis';
import { BaseCommand } from '../../base-command.ts';
import { checkCloud } from '../../doctor/cloud.ts';
import { checkComputer } from '../../doctor/computer.ts';
import type { Finding } from '../../doctor/finding.ts';
import { checkProject } from '../../doctor/project.ts';
import { exitCodes } from '../../exit-codes.ts';
import { count } from '../../output/count.ts';
import { type Trouble, troubles } from '../../troubles.ts';

/** What `cloud doctor` answers. */
export interface DoctorResult {
  /** `false`: there is at least one problem. */
  readonly healthy: boolean;
  readonly findings: readonly Finding[];
  /** What often goes wrong with a tenant that this cannot see. */
  readonly troubles: readonly Trouble[];
}

export default class Doctor extends BaseCommand {
  static override summary = 'Check this computer, this project and the way to the cloud.';
  static override description =
    `Says what to do about each finding. --fix does what is safe: it takes away other people's right to read secrets. Exit code 1: there is a problem.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --fix --json',
  ];
  static override flags = {
    fix: Flags.boolean({ summary: 'Mend what can be mended without harm.', env: 'SYSTEMPROMPT_FIX' }),
  };

  async run(): Promise<DoctorResult> {
    const { flags } = await this.parse(Doctor);
    const { context } = this;
    // The project first: what reads a file may change its mode.
    const project = await checkProject(context, flags);
    const found = await Promise.all([checkComputer(context), checkCloud(context)]);
    const findings = [...project, ...found.flat()];
    const marks = { ok: green('✓'), warning: yellow('!'), problem: red('✗') };
    for (const { check, status, message, fix, fixed } of findings) {
      this.log(`${marks[status]} ${check.padEnd(11)} ${message}${fixed === true ? ' (mended)' : ''}`);
      if (fix !== undefined && fixed !== true) this.log(`              ${fix}`);
    }
    const healthy = findings.every(({ status }) => status !== 'problem');
    if (!healthy) process.exitCode = exitCodes.failed;
    const notes = findings.filter(({ status }) => status === 'warning').length;
    const fine = notes === 0 ? 'Everything is fine' : `It works, with ${count(notes, 'note')}`;
    this.log(`\n${healthy ? fine : 'More about an error: systemprompt cloud explain CODE'}`);
    return { healthy, findings, troubles };
  }
}
