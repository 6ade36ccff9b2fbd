import { Flags } from '@oclif/core';
import type { LogEntry } from '@sp/cloud-api';
import { dim } from 'ansis';
import { BaseCommand } from '../../base-command.ts';
import { CliError } from '../../cli-error.ts';
import { exitCodes } from '../../exit-codes.ts';
import { profileFlag, tenantFlag } from '../../flags.ts';
import { readLastWords } from '../../logs/last-words.ts';
import { parsePattern } from '../../logs/pattern.ts';
import { parseSince } from '../../logs/since.ts';
import { plainLine } from '../../output/plain-line.ts';
import { isSet } from '../../presentation.ts';
import { findTarget } from '../../tenant/target.ts';

/** What `cloud logs` answers. */
export interface LogsResult {
  readonly tenantId: string;
  readonly tenantName: string;
  /** The oldest first; with `--follow` none, because each was an event. */
  readonly lines: readonly LogEntry[];
}

export default class Logs extends BaseCommand {
  static override summary = "Show what a tenant's machine has written.";
  static override description =
    `The last lines, oldest first; where the machine of a failed release is gone, what it wrote last. --follow goes on with what comes, across deploys, until Ctrl-C; programs use it with --json-lines.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %> --tail 500',
    '<%= config.bin %> <%= command.id %> --follow --since 10m --grep error',
    '<%= config.bin %> <%= command.id %> --follow --json-lines',
  ];
  static override flags = {
    follow: Flags.boolean({ char: 'f', summary: 'Go on with what comes.', env: 'SYSTEMPROMPT_FOLLOW' }),
    since: Flags.string({
      summary: 'Only from this time on: 30s, 10m, 2h or 3d ago, or a time.',
      env: 'SYSTEMPROMPT_SINCE',
      helpValue: 'TIME',
    }),
    grep: Flags.string({
      summary: 'Only lines that this regular expression finds.',
      env: 'SYSTEMPROMPT_GREP',
      helpValue: 'PATTERN',
    }),
    tail: Flags.integer({
      summary: 'How many of the last lines.',
      default: 100,
      min: 0,
      max: 10_000,
      env: 'SYSTEMPROMPT_TAIL',
    }),
    release: Flags.integer({ summary: 'Number of a release.', min: 1, env: 'SYSTEMPROMPT_RELEASE' }),
    tenant: tenantFlag,
    profile: profileFlag,
  };

  async run(): Promise<LogsResult> {
    const { flags } = await this.parse(Logs);
    const { tenant, profile, tail, release, follow } = flags;
    const lines = flags['json-lines'] || isSet(this.context.env, 'SYSTEMPROMPT_JSON_LINES');
    if (follow && this.jsonEnabled() && !lines) {
      throw new CliError('SP_CLI_USAGE', '--follow has no one document to answer: use it with --json-lines');
    }
    const since = flags.since === undefined ? undefined : parseSince(flags.since, new Date());
    const matches = parsePattern(flags.grep);
    const { signal, warn } = this.context;
    const target = await findTarget(this.context, { tenant, profile, command: `${this.config.bin} cloud logs` });
    const { id: tenantId, name: tenantName, api } = target;
    const query = { tail, since, release, signal };
    const entries = follow ? api.tenants.followLogs(tenantId, query) : await api.tenants.getLogs(tenantId, query);
    const shown: LogEntry[] = [];
    let written = 0;
    try {
      for await (const entry of entries) {
        written += 1;
        if (!matches(entry.message)) continue;
        if (follow) this.emitEvent({ type: 'log-line', ...entry });
        else shown.push(entry);
        // What a machine writes must not move the cursor of who reads it.
        this.log(`${dim(entry.time)} ${plainLine(entry.message)}`);
      }
    } catch (error) {
      // Ctrl-C is how following ends.
      if (!follow || !signal.aborted) throw error;
      process.exitCode = exitCodes.interrupted;
    }
    if (written === 0 && !follow && since === undefined) {
      const last = await readLastWords(api, tenantId, { release, tail, signal });
      if (last !== undefined)
        warn(`Release ${last.number} failed and its machine is gone; this is what it wrote last:`);
      for (const entry of last?.lines ?? []) {
        if (!matches(entry.message)) continue;
        shown.push(entry);
        this.log(plainLine(entry.message));
      }
    }
    return { tenantId, tenantName, lines: shown };
  }
}
