import { BaseCommand } from '../base-command.ts';
import { exitCodes } from '../exit-codes.ts';
import { renderTable } from '../output/table.ts';
import { type CommandReference, describeCommands } from '../reference/describe-commands.ts';

/** What `commands` answers: everything that a program needs to know to call this one. */
export interface CommandsResult {
  readonly commands: readonly CommandReference[];
  readonly exitCodes: typeof exitCodes;
  /** The JSON Schemas of failures, and of each line of `--json-lines`: files of this package. */
  readonly errorSchema: string;
  readonly jsonLinesSchema: string;
}

export default class Commands extends BaseCommand {
  static override summary = 'List every command.';
  static override description = 'With --json also the flags, the exit codes, and what each command reads and changes.';
  static override examples = ['<%= config.bin %> <%= command.id %> --json'];

  async run(): Promise<CommandsResult> {
    await this.parse(Commands);
    const commands = await describeCommands(this.config.root);
    const rows = commands.filter(({ hidden }) => !hidden).map(({ command, summary }) => [command, summary]);
    this.log(renderTable(['COMMAND', ''], rows));
    const [errorSchema, jsonLinesSchema] = ['schemas/error.json', 'schemas/json-lines.json'];
    return { commands, exitCodes, errorSchema, jsonLinesSchema };
  }
}
