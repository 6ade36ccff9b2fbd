import { Flags } from '@oclif/core';
import { BaseCommand } from '../../base-command.ts';
import { type ScaffoldResult, scaffoldProject } from '../../init/scaffold.ts';

/** What `cloud init` answers. */
export interface InitResult extends ScaffoldResult {
  readonly root: string;
}

export default class Init extends BaseCommand {
  static override summary = 'Make this folder a SystemPrompt project.';
  static override description =
    `Makes .systemprompt/ and, when there is no services/, a minimal one. What exists is left alone, so repeating it changes nothing.`;
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --force'];
  static override flags = {
    force: Flags.boolean({
      summary: 'Give the files that init makes their first content again. Other files are not touched.',
      env: 'SYSTEMPROMPT_FORCE',
    }),
  };

  async run(): Promise<InitResult> {
    const { flags } = await this.parse(Init);
    const { cwd, project, warn } = this.context;
    if (project.root !== cwd)
      warn(`This folder is inside of the project ${project.root}; it becomes a project of its own`);
    const result = await scaffoldProject(cwd, { force: flags.force });
    for (const path of result.created) this.log(`created   ${path}`);
    for (const path of result.replaced) this.log(`replaced  ${path}`);
    if (result.created.length + result.replaced.length === 0) this.log(`${cwd} is a project already; nothing changed`);
    this.log(`\nNext: ${this.config.bin} cloud auth login, then: ${this.config.bin} cloud tenant create`);
    return { root: cwd, ...result };
  }
}
