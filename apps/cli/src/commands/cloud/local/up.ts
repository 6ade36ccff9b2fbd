import { resolve } from 'node:path';
import { Flags } from '@oclif/core';
import { BaseCommand } from '../../../base-command.ts';
import { dataDirFlag } from '../../../flags.ts';
import { defaultDataDirectory } from '../../../local-cloud/data-directory.ts';
import { type EnsuredLocalCloud, ensureLocalCloud } from '../../../local-cloud/ensure.ts';
import { renderFields } from '../../../output/table.ts';

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

  async run(): Promise<EnsuredLocalCloud> {
    const { flags } = await this.parse(LocalUp);
    const { port, machines, 'provider-delay-ms': providerDelayMs } = flags;
    const dataDir = resolve(this.context.cwd, flags['data-dir'] ?? defaultDataDirectory(this.context.env));
    const cloud = await ensureLocalCloud(this.context, { dataDir, port, machines, providerDelayMs });
    const next = `${this.config.bin} cloud auth login --environment local`;
    this.log(cloud.alreadyRunning ? 'The local cloud is running already' : 'The local cloud is running');
    this.log(
      renderFields({ URL: cloud.url, Machines: cloud.machines, Process: String(cloud.pid), Data: dataDir, Next: next }),
    );
    this.context.progress.note(`${cloud.url} in a browser is a page of what there is in it`);
    return cloud;
  }
}
