import { resolve } from 'node:path';
import { Flags } from '@oclif/core';
import { BaseCommand } from '../../../base-command.ts';
import { dataDirFlag } from '../../../flags.ts';
import { defaultDataDirectory } from '../../../local-cloud/data-directory.ts';
import { startLocalCloud } from '../../../local-cloud/start.ts';
import { findLocalCloud, isHealthy, type LocalCloudState } from '../../../local-cloud/state.ts';
import { renderFields } from '../../../output/table.ts';

/** What `cloud local up` answers. */
export interface LocalUpResult extends LocalCloudState {
  readonly dataDir: string;
  readonly alreadyRunning: boolean;
}

export default class LocalUp extends BaseCommand {
  static override summary = 'Start a whole SystemPrompt Cloud on this computer.';
  static override description =
    `The Management API, Postgres, a registry, machines, and pages that stand in for login and payment. No account and no network are needed. It keeps running after the command; \`cloud local down\` stops it.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --port 0 --machines process --json',
  ];
  static override flags = {
    'data-dir': dataDirFlag,
    port: Flags.integer({
      summary: 'Port of the API and of all tenants; 0 takes any free one.',
      default: 7300,
      min: 0,
      max: 65_535,
      env: 'SYSTEMPROMPT_LOCAL_PORT',
    }),
    machines: Flags.option({
      summary: 'What tenants run in: Docker containers or processes; auto takes Docker where an engine answers.',
      options: ['auto', 'docker', 'process'] as const,
      default: 'auto',
      env: 'SYSTEMPROMPT_LOCAL_MACHINES',
    })(),
    'provider-delay-ms': Flags.integer({
      summary: 'How long each pretended call to a provider takes.',
      min: 0,
      env: 'SYSTEMPROMPT_LOCAL_PROVIDER_DELAY_MS',
    }),
  };

  async run(): Promise<LocalUpResult> {
    const { flags } = await this.parse(LocalUp);
    const { cwd, env, signal } = this.context;
    const dataDir = resolve(cwd, flags['data-dir'] ?? defaultDataDirectory(env));
    const running = await findLocalCloud(dataDir);
    if (running !== undefined && (await isHealthy(running.url, signal))) return this.answer(running, dataDir, true);

    const step = await this.context.progress.step('Starting the local cloud');
    try {
      const { port, machines, 'provider-delay-ms': providerDelayMs } = flags;
      const state = await startLocalCloud({ dataDirectory: dataDir, port, machines, providerDelayMs, env, signal });
      step.done();
      return this.answer(state, dataDir, false);
    } catch (error) {
      step.fail();
      throw error;
    }
  }

  private answer(state: LocalCloudState, dataDir: string, alreadyRunning: boolean): LocalUpResult {
    const { url, machines, pid } = state;
    this.log(alreadyRunning ? 'The local cloud is running already' : 'The local cloud is running');
    this.log(renderFields({ URL: url, Machines: machines, Process: String(pid), Data: dataDir }));
    return { ...state, dataDir, alreadyRunning };
  }
}
