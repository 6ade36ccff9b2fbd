import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Args } from '@oclif/core';
import { BaseCommand } from '../../../base-command.ts';
import { CliError } from '../../../cli-error.ts';
import { profileFlag, tenantFlag } from '../../../flags.ts';
import { shellWord } from '../../../shell-words.ts';
import { findTarget } from '../../../tenant/target.ts';
import type { SecretsChangeResult } from './set.ts';

export default class SecretsImport extends BaseCommand {
  static override summary = 'Set the secrets of a .env file.';
  static override description = 'NAME=value lines of a file, or of stdin with -. Either all of them are set or none.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> .env.production',
    'op inject -i .env.tpl | <%= config.bin %> <%= command.id %> -',
  ];
  static override args = {
    file: Args.string({ ignoreStdin: true, name: 'FILE', description: 'A .env file, or - for stdin.', required: true }),
  };
  static override flags = { tenant: tenantFlag, profile: profileFlag };

  async run(): Promise<SecretsChangeResult> {
    const { args, flags } = await this.parse(SecretsImport);
    const { cwd, readStdin, signal } = this.context;
    const { parseDotenv } = await import('@sp/deploy');
    const text = args.file === '-' ? await readStdin() : await readFile(resolve(cwd, args.file), 'utf8');
    const values = namingFile(args.file, () => parseDotenv(text));
    const keys = Object.keys(values).toSorted();
    if (keys.length === 0) throw new CliError('SP_CLI_USAGE', `There is no NAME=value in ${args.file}`);
    const command = `${this.config.bin} cloud secrets import ${shellWord(args.file)}`;
    const target = await findTarget(this.context, { ...flags, command });
    await target.api.secrets.set(target.id, values, { signal });
    this.log(`Set ${keys.join(', ')} of ${target.label}`);
    this.context.progress.note(`In effect after: ${await this.goOn(`${this.config.bin} cloud restart`)}`);
    return { tenantId: target.id, tenantName: target.name, keys };
  }
}

/** The parser knows no file; its findings are about the one that was given. */
function namingFile<T>(file: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof Error) || !('findings' in error) || !Array.isArray(error.findings)) throw error;
    const findings = error.findings.map((finding: object) => ({ ...finding, path: file === '-' ? 'stdin' : file }));
    throw Object.assign(error, { findings });
  }
}
