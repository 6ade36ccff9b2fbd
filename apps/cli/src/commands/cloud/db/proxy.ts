import { once } from 'node:events';
import { Flags } from '@oclif/core';
import { BaseCommand } from '../../../base-command.ts';
import { CliError } from '../../../cli-error.ts';
import { findDatabase } from '../../../database/find-database.ts';
import { profileFlag, tenantFlag } from '../../../flags.ts';
import { isSet } from '../../../presentation.ts';

/** What `cloud db proxy` answers when it ends. */
export interface DbProxyResult {
  readonly name: string;
  readonly port: number;
}

export default class DbProxy extends BaseCommand {
  static override summary = "Open a port on this computer that leads to a tenant's database.";
  static override description =
    `Until Ctrl-C. Programs use it without TLS; from here to the server the connection is encrypted. User and password are the database's own: cloud db url --show.`;
  static override examples = ['<%= config.bin %> <%= command.id %> --port 15432'];
  static override flags = {
    port: Flags.integer({
      summary: 'Of 127.0.0.1; 0 takes any.',
      default: 0,
      min: 0,
      max: 65_535,
      env: 'SYSTEMPROMPT_PORT',
    }),
    tenant: tenantFlag,
    profile: profileFlag,
  };

  async run(): Promise<DbProxyResult> {
    const { flags } = await this.parse(DbProxy);
    const lines = flags['json-lines'] || isSet(this.context.env, 'SYSTEMPROMPT_JSON_LINES');
    if (this.jsonEnabled() && !lines) {
      throw new CliError('SP_CLI_USAGE', 'A port that is open has no one document to answer: use --json-lines');
    }
    const { signal } = this.context;
    const { url, name, label } = await findDatabase(this.context, {
      ...flags,
      command: `${this.config.bin} cloud db proxy`,
    });
    const { openProxy } = await import('@sp/database');
    const { maskDatabaseUrl } = await import('@sp/tenants');
    const proxy = await openProxy(url, { port: flags.port, onError: ({ message }) => this.context.warn(message) });
    try {
      const local = maskDatabaseUrl(proxy.url);
      this.emitEvent({ type: 'listening', port: proxy.port, url: local });
      this.log(`The database of the ${label} is at ${local} until Ctrl-C`);
      if (!signal.aborted) await once(signal, 'abort');
    } finally {
      await proxy.close();
    }
    return { name, port: proxy.port };
  }
}
