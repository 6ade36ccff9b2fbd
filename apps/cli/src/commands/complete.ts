import { advice } from '../advice.ts';
import { BaseCommand } from '../base-command.ts';
import { type Candidate, completeWords } from '../completion/candidates.ts';
import { describeCommands } from '../reference/describe-commands.ts';

/** What `complete` answers. */
export interface CompleteResult {
  readonly candidates: readonly Candidate[];
}

export default class Complete extends BaseCommand {
  static override hidden = true;
  static override summary = 'Say what can stand where the cursor is; for the scripts of `completion`.';
  static override description = 'Asks nobody: tenants and profiles are those that the project knows.';
  static override examples = ['<%= config.bin %> <%= command.id %> -- cloud tenant sh'];
  static override strict = false;

  async run(): Promise<CompleteResult> {
    await this.parse(Complete);
    const { project } = this.context;
    // What was parsed lacks a second `--`. PowerShell cannot pass an empty word.
    const words = this.argv.slice(this.argv.indexOf('--') + 1).map((word) => (word === '""' ? '' : word));
    const names = {
      // A shell that completes must not be told of errors.
      tenants: async () => {
        const { loadTenants } = await import('@sp/tenants');
        const stored = await loadTenants(project.localTenants).catch(() => undefined);
        return (stored?.tenants ?? []).map(({ name }) => name);
      },
      profiles: async () => {
        const { listProfiles } = await import('@sp/tenants');
        return (await listProfiles(project.profilesDir).catch(() => [])).map(({ name }) => name);
      },
      codes: () => Object.keys(advice),
    };
    const commands = (await describeCommands(this.config.root)).filter(({ hidden }) => !hidden);
    const candidates = await completeWords(words, { commands, names });
    for (const { value, description } of candidates) this.log(`${value}\t${description}`);
    return { candidates };
  }
}
