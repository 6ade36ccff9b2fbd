import { access } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Flags } from '@oclif/core';
import { BaseCommand } from '../../../base-command.ts';
import { CliError } from '../../../cli-error.ts';
import { profileFlag } from '../../../flags.ts';
import { formatDotenv } from '../../../secrets/format-dotenv.ts';
import { readProfileSecrets } from '../../../secrets/profile-secrets.ts';
import { shellWord } from '../../../shell-words.ts';

/** What `cloud secrets export` answers. */
export interface SecretsExportResult {
  readonly profile: string;
  readonly tenantId: string;
  readonly keys: readonly string[];
  /** The file that was written. */
  readonly path?: string | undefined;
  /** The file's text; only with `--stdout`. */
  readonly content?: string | undefined;
}

export default class SecretsExport extends BaseCommand {
  static override summary = "Write a profile's secrets as a .env file.";
  static override description =
    `What a deploy of the profile would set, from its secrets.json on this computer: the API never gives a value out. The file is readable by you alone; --stdout prints the values, for a pipe.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %> --output .env.production',
    '<%= config.bin %> <%= command.id %> --stdout | docker run --env-file /dev/stdin …',
  ];
  static override flags = {
    profile: profileFlag,
    output: Flags.string({ summary: 'The file to write.', env: 'SYSTEMPROMPT_OUTPUT', helpValue: 'FILE' }),
    stdout: Flags.boolean({ summary: 'Print the values.', env: 'SYSTEMPROMPT_STDOUT', exclusive: ['output'] }),
    force: Flags.boolean({ summary: 'Replace a file that exists.', env: 'SYSTEMPROMPT_FORCE' }),
  };

  async run(): Promise<SecretsExportResult> {
    const { flags } = await this.parse(SecretsExport);
    const { cwd } = this.context;
    const command = `${this.config.bin} cloud secrets export`;
    if (flags.output === undefined && !flags.stdout) {
      throw new CliError('SP_CLI_INPUT_NEEDED', 'Say where the values shall go', {
        flags: ['--output', '--stdout'],
        next: [`${command} --output .env.production`, `${command} --stdout`],
      });
    }
    const project = this.context.requireProject();
    const { profile, tenantId, secrets } = await readProfileSecrets(this.context, project, flags.profile);
    const keys = Object.keys(secrets).toSorted();
    const content = formatDotenv(secrets);
    if (flags.output === undefined) {
      this.log(content.trimEnd());
      return { profile, tenantId, keys, content };
    }
    const path = resolve(cwd, flags.output);
    const exists = await access(path).then(
      () => true,
      () => false,
    );
    if (exists && !flags.force) {
      const next = [`${command} --output ${shellWord(flags.output)} --force`];
      throw new CliError('SP_CLI_FILE_EXISTS', `${path} exists already`, { path, next });
    }
    const { replacePrivateFile } = await import('@sp/private-file');
    // Not a folder of ours: it gets no .gitignore.
    await replacePrivateFile(path, content, { gitignore: false });
    this.log(`Wrote ${keys.length} secrets of the profile ${profile} to ${path}`);
    return { profile, tenantId, keys, path };
  }
}
