import { Args } from '@oclif/core';
import { BaseCommand } from '../../../base-command.ts';
import { CliError } from '../../../cli-error.ts';
import { profileFlag, tenantFlag } from '../../../flags.ts';
import { shellWord } from '../../../shell-words.ts';
import { renderDomain } from '../../../tenant/domain.ts';
import { findTarget } from '../../../tenant/target.ts';
import type { DomainStatusResult } from './status.ts';

export default class DomainSet extends BaseCommand {
  static override summary = 'Give a tenant a domain of your own.';
  static override description = 'Prints the DNS record to make; the domain is active once that is found.';
  static override examples = ['<%= config.bin %> <%= command.id %> app.example.com'];
  static override args = {
    domain: Args.string({ ignoreStdin: true, name: 'DOMAIN', description: 'Such as app.example.com.', required: true }),
  };
  static override flags = { tenant: tenantFlag, profile: profileFlag };

  async run(): Promise<DomainStatusResult> {
    const { args, flags } = await this.parse(DomainSet);
    const { customDomainPattern } = await import('@sp/cloud-api');
    if (!customDomainPattern.test(args.domain)) {
      throw new CliError('SP_CLI_USAGE', `${JSON.stringify(args.domain)} is no domain name`);
    }
    const command = `${this.config.bin} cloud domain set ${shellWord(args.domain)}`;
    const { id, name, label, api } = await findTarget(this.context, { ...flags, command });
    this.context.progress.note(`Setting the domain of ${label}`);
    const domain = await api.domains.set(id, args.domain, { signal: this.context.signal });
    this.log(renderDomain(domain));
    return { tenantId: id, tenantName: name, configured: true, ...domain };
  }
}
