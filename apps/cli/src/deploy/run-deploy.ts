import type { BuilderChoice, DeployResult } from '@sp/deploy';
import { CliError } from '../cli-error.ts';
import type { Context } from '../context.ts';
import { imageCacheDirectory } from '../local-cloud/data-directory.ts';
import { profileEnvironment } from '../secrets/profile-environment.ts';
import { shellWord } from '../shell-words.ts';
import { tenantOfAccount } from '../tenant/of-account.ts';
import { baseRegistry } from './base-registry.ts';
import { followDeploy, type LeftDeploy, servingRelease } from './follow-deploy.ts';
import { pickProfile } from './pick-profile.ts';
import { checkTenantEdits, rememberDeployed, rememberShipping } from './tenant-edits.ts';

/** What to deploy, and how. */
export interface RunDeployOptions {
  /** @defaultValue the only profile there is */
  readonly profile?: string | undefined;
  readonly builder: BuilderChoice;
  readonly base?: string | undefined;
  readonly skipPush: boolean;
  /** Whether to stop when the running tenant has changes that the project lacks. */
  readonly syncCheck: boolean;
  /** Whether the person has agreed already. */
  readonly yes: boolean;
  /** What this program is called. */
  readonly bin: string;
}

/** A tenant that runs the project now. */
export interface RunDeployResult extends DeployResult {
  readonly profile: string;
  readonly tenantName: string;
  /** Members of `secrets.json` that were left out, because their value is no text. */
  readonly dropped?: readonly string[] | undefined;
}

/** Deploys the project to its profile's tenant, after saying which one that is. */
export async function runDeploy(context: Context, options: RunDeployOptions): Promise<RunDeployResult> {
  const { interactive, signal, env, progress } = context;
  const project = context.requireProject();
  const { name, tenantId } = await pickProfile(options.profile, { context, project, bin: options.bin });
  const api = await context.api();
  const tenant = await tenantOfAccount(context, { id: tenantId, name: `of the profile ${name}`, api });
  const place = [tenantId, tenant.hostname].filter((part) => part !== undefined).join(', ');
  progress.note(`Deploying the profile ${name} to the tenant ${tenant.name} (${place})`);
  if (interactive && !options.yes) {
    const { askConfirm } = await import('../prompts.ts');
    const agreed = await askConfirm(`Deploy to ${tenant.name}?`);
    if (!agreed) throw new CliError('SP_CLI_CANCELLED', 'Nothing was deployed');
  }
  const deployed = { project, profile: name, id: tenantId, name: tenant.name, api };
  if (options.syncCheck) await checkTenantEdits(context, deployed, options.bin);
  if (!options.skipPush) await rememberShipping(context, deployed);
  const { deploy } = await import('@sp/deploy');
  const { secrets, dropped } = await profileEnvironment(context, { project, profile: name });
  const events = deploy({
    api,
    tenantId,
    planOptions: { projectRoot: project.root, profileName: name, base: options.base },
    builder: options.builder,
    cacheDirectory: imageCacheDirectory(env),
    baseRegistry: baseRegistry(context),
    secrets,
    skipPush: options.skipPush,
    signal,
  });
  const result = await followDeploy(events, {
    progress,
    next: nextOf({ profile: name, tenantId }, options),
    serving: () => servingRelease({ api, tenantId, signal }),
  });
  await rememberDeployed(context, deployed);
  return { ...result, profile: name, tenantName: tenant.name, dropped };
}

/** Takes up a deploy that the server goes on with. */
export async function resumeRun(
  context: Context,
  options: { readonly profile: string | undefined; readonly operationId: string; readonly bin: string },
): Promise<RunDeployResult> {
  const { signal, progress } = context;
  const project = context.requireProject();
  const { name, tenantId } = await pickProfile(options.profile, { context, project, bin: options.bin });
  const api = await context.api();
  const { name: tenantName } = await tenantOfAccount(context, { id: tenantId, name: `of the profile ${name}`, api });
  progress.note(`Taking up the deploy ${options.operationId} of ${tenantName} (${tenantId})`);
  const { resumeDeploy } = await import('@sp/deploy');
  const events = resumeDeploy({ api, tenantId, operationId: options.operationId, signal });
  const result = await followDeploy(events, {
    progress,
    next: nextOf({ profile: name, tenantId }, options),
    serving: () => servingRelease({ api, tenantId, signal }),
  });
  await rememberDeployed(context, { project, profile: name, id: tenantId, name: tenantName, api });
  return { ...result, profile: name, tenantName };
}

/** How to go on with a deploy that nobody waits for any more. */
function nextOf(
  { profile, tenantId }: { readonly profile: string; readonly tenantId: string },
  { bin }: { readonly bin: string },
): (left: LeftDeploy) => string {
  const command = `${bin} cloud deploy --profile ${shellWord(profile)}`;
  return ({ operationId, started }) => {
    if (operationId !== undefined) return `${command} --resume ${shellWord(operationId)}`;
    return started ? `${bin} cloud status --tenant ${tenantId} --watch` : command;
  };
}
