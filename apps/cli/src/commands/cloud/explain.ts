import { Args } from '@oclif/core';
import { type AnyErrorCode, advice } from '../../advice.ts';
import { BaseCommand } from '../../base-command.ts';
import { CliError } from '../../cli-error.ts';
import { renderTable } from '../../output/table.ts';
import { errorMeanings } from '../../reference/error-meanings.ts';
import { type Trouble, troubles } from '../../troubles.ts';

/** What is known about one code, or about all. */
export interface ExplainResult {
  readonly codes: readonly {
    readonly code: string;
    readonly exitCode: number;
    /** What happened, in one sentence. */
    readonly meaning: string;
    readonly suggestions: readonly string[];
  }[];
  /** The classic troubles that the code may stand for. */
  readonly troubles: readonly Trouble[];
}

export default class Explain extends BaseCommand {
  static override summary = 'Explain an error code; without a code, list all of them.';
  static override description = 'Needs no network. Also tells the six classic troubles of a tenant, and what to do.';
  static override examples = ['<%= config.bin %> <%= command.id %> SP_DEPLOY_UNHEALTHY'];
  static override args = {
    code: Args.string({ ignoreStdin: true, name: 'CODE', description: 'A code such as SP_DEPLOY_UNHEALTHY.' }),
  };

  async run(): Promise<ExplainResult> {
    const { args } = await this.parse(Explain);
    const wanted = args.code?.toUpperCase();
    const known = Object.keys(advice) as AnyErrorCode[];
    const codes = known
      .filter((code) => wanted === undefined || code === wanted)
      .map((code) => ({ code, meaning: errorMeanings[code], ...advice[code] }));
    if (codes.length === 0) {
      const available = known.filter((code) => code.includes(wanted?.replace(/^SP_/, '') ?? ''));
      throw new CliError('SP_CLI_CODE_NOT_FOUND', `There is no error code ${JSON.stringify(args.code)}`, { available });
    }
    const related = troubles.filter(({ codes: of }) => wanted === undefined || of.some((code) => code === wanted));
    const [one] = wanted === undefined ? [] : codes;
    if (one === undefined) {
      const rows = codes.map(({ code, exitCode, meaning }) => [code, `${exitCode}`, meaning]);
      this.log(renderTable(['CODE', 'EXIT', 'MEANING'], rows));
    } else {
      this.log(`${one.code} (exit code ${one.exitCode})\n${one.meaning}`);
      for (const suggestion of one.suggestions) this.log(`  ${suggestion}`);
    }
    for (const { trouble, remedy } of related) this.log(`\n${trouble}\n  ${remedy}`);
    return { codes, troubles: related };
  }
}
