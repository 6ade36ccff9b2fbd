import { type TenantInfo, tenantNamePattern } from '@sp/cloud-api';
import { CliError } from '../cli-error.ts';
import { askConfirm, askSelect, askText } from '../prompts.ts';

/** What to change of a tenant; members that are absent stay. */
export interface TenantChanges {
  readonly name?: string | undefined;
  /** MiB. */
  readonly memoryMb?: number | undefined;
  readonly externalDbAccess?: boolean | undefined;
}

/** What each change is called on screen. */
export const changeLabels: Readonly<Record<string, string>> = {
  name: 'the name',
  memoryMb: 'the memory',
  externalDbAccess: 'the access to the database from outside',
  databaseUrl: "the database's URL",
};

const nameRule = 'lower-case letters, digits and inner hyphens, at most 40';

/**
 * Refuses what the API would, in words of the command line.
 *
 * @throws {CliError} `SP_CLI_USAGE`
 */
export function checkTenantChanges({ name, memoryMb }: TenantChanges, { plan }: TenantInfo): void {
  if (name !== undefined && !tenantNamePattern.test(name)) {
    throw new CliError('SP_CLI_USAGE', `--name ${JSON.stringify(name)}: ${nameRule}`);
  }
  if (memoryMb !== undefined && plan !== undefined && memoryMb > plan.memoryMb) {
    throw new CliError('SP_CLI_USAGE', `--memory ${memoryMb}: the plan ${plan.name} has ${plan.memoryMb} MiB at most`);
  }
}

/** Asks a person what to change, and into what. */
export async function askTenantChanges(info: TenantInfo): Promise<TenantChanges> {
  const { name, plan, externalDbAccess } = info;
  const what = await askSelect({
    message: `What of ${name} is to change?`,
    options: [
      { value: 'name', label: 'Name', hint: name },
      { value: 'memory', label: 'Memory', hint: plan === undefined ? 'MiB' : `at most ${plan.memoryMb} MiB` },
      { value: 'access', label: 'Database from outside', hint: externalDbAccess ? 'allowed' : 'not allowed' },
    ],
  });
  if (what === 'access') {
    const message = externalDbAccess ? 'Keep the database open from outside?' : 'Allow the database from outside?';
    return { externalDbAccess: await askConfirm(message, { initialValue: !externalDbAccess }) };
  }
  if (what === 'name') {
    const validate = (value: string): string | undefined => (tenantNamePattern.test(value) ? undefined : nameRule);
    return { name: await askText({ message: 'Name of the tenant', initialValue: name, validate }) };
  }
  const most = plan?.memoryMb ?? 1_048_576;
  const validate = (value: string): string | undefined =>
    /^\d+$/.test(value) && Number(value) >= 128 && Number(value) <= most ? undefined : `a number from 128 to ${most}`;
  return { memoryMb: Number(await askText({ message: 'Memory in MiB', validate })) };
}
