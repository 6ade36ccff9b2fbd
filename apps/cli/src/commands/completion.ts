import { Args } from '@oclif/core';
import { BaseCommand } from '../base-command.ts';
import { CliError } from '../cli-error.ts';
import { completionHint, completionScript, type Shell, shellOf, shells } from '../completion/scripts.ts';

/** What `completion` answers. */
export interface CompletionResult {
  readonly shell: Shell;
  readonly script: string;
  /** The command line that keeps it. */
  readonly next: readonly string[];
}

export default class Completion extends BaseCommand {
  static override summary = 'Print the script that completes commands in a shell.';
  static override description =
    `Commands, flags and their values, and the names of tenants and profiles of the project one is in; those are taken from its files, without asking the API.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %> bash > ~/.local/share/bash-completion/completions/systemprompt',
    'source <(<%= config.bin %> <%= command.id %> zsh)',
  ];
  static override args = {
    shell: Args.string({
      ignoreStdin: true,
      name: 'SHELL',
      description: 'Without it, the shell of $SHELL.',
      options: shells,
    }),
  };

  async run(): Promise<CompletionResult> {
    const { args } = await this.parse(Completion);
    const { env, bin } = this.context;
    const shell = shells.find((known) => known === args.shell) ?? shellOf(env);
    if (shell === undefined) {
      const next = shells.map((known) => `${bin} completion ${known}`);
      throw new CliError('SP_CLI_INPUT_NEEDED', 'Which shell?', { next, available: shells });
    }
    const script = completionScript(shell);
    this.log(script.trimEnd());
    this.context.progress.note(`To keep it: ${completionHint(shell)}`);
    return { shell, script, next: [completionHint(shell)] };
  }
}
