import { basename } from 'node:path';
import { type CloudApiClient, type Plan, regions, tenantNamePattern } from '@sp/cloud-api';
import type { ProjectContext } from '@sp/paths';
import { CliError } from '../cli-error.ts';
import type { Context } from '../context.ts';
import { answerAll, askSelect, askText } from '../prompts.ts';
import { shellWord } from '../shell-words.ts';

/** What a person decided about a new tenant. */
export interface TenantChoice {
  readonly name: string;
  readonly plan: Plan;
  readonly region: string;
  readonly profileName: string;
}

/**
 * Takes everything from flags, else asks. What can be wrong is found here, before anybody pays.
 *
 * @throws {CliError} `SP_CLI_INPUT_NEEDED`, `SP_CLI_PLAN_NOT_FOUND`, `SP_CLI_USAGE`
 */
export async function chooseTenant(
  flags: {
    readonly name?: string | undefined;
    readonly plan?: string | undefined;
    readonly region?: string | undefined;
    readonly profile?: string | undefined;
  },
  deps: { context: Context; api: CloudApiClient; project: ProjectContext; bin: string },
): Promise<TenantChoice> {
  const { context, api, project, bin } = deps;
  const plans = await api.plans.list({ signal: context.signal });
  const command = `${bin} cloud tenant create`;
  const [name, planId, region] = await answerAll(
    [
      {
        flag: 'name',
        value: flags.name,
        ask: () =>
          askText({ message: 'Name of the tenant', initialValue: suggestName(project.root), validate: checkName }),
      },
      { flag: 'plan', value: flags.plan, ask: () => askSelect({ message: 'Plan', options: plans.map(planOption) }) },
      {
        flag: 'region',
        value: flags.region,
        ask: () => askSelect({ message: 'Region', options: regionOptions, initialValue: 'iad' }),
      },
    ] as const,
    {
      interactive: context.interactive,
      command,
      next: async () =>
        plans.map(
          ({ id }) =>
            `${command} --name ${shellWord(flags.name ?? 'hello')} --plan ${shellWord(flags.plan ?? id)} --region ${shellWord(flags.region ?? 'iad')}`,
        ),
    },
  );
  const problem = checkName(name);
  if (problem !== undefined) throw new CliError('SP_CLI_USAGE', `--name ${JSON.stringify(name)}: ${problem}`);
  if (!Object.hasOwn(regions, region)) {
    const available = Object.keys(regions);
    throw new CliError('SP_CLI_USAGE', `--region ${JSON.stringify(region)} is none of ${available.join(', ')}`, {
      available,
    });
  }
  const plan = plans.find(({ id }) => id === planId);
  if (plan === undefined) {
    const available = plans.map(({ id }) => id);
    throw new CliError('SP_CLI_PLAN_NOT_FOUND', `There is no plan ${JSON.stringify(planId)}`, { available });
  }
  const profileName = flags.profile ?? name;
  if (project.profileExists(profileName)) {
    throw new CliError('SP_CLI_PROFILE_EXISTS', `The profile ${profileName} exists already`, {
      path: project.profile(profileName).dir,
    });
  }
  return { name, plan, region, profileName };
}

const regionOptions = Object.entries(regions).map(([value, label]) => ({ value, label: value, hint: label }));

function planOption(plan: Plan): { value: string; label: string; hint: string } {
  return { value: plan.id, label: plan.name, hint: `${plan.memoryMbDefault} MB memory, ${plan.volumeGb} GB volume` };
}

/** The name of the project's folder, as far as a tenant can be called so. */
function suggestName(root: string): string {
  const slug = basename(root)
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, 40)
    .replaceAll(/^-+|-+$/g, '');
  return checkName(slug) === undefined ? slug : 'hello';
}

function checkName(name: string): string | undefined {
  return tenantNamePattern.test(name) ? undefined : 'lower-case letters, digits and inner hyphens, at most 40';
}
