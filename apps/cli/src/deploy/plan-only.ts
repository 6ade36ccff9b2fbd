import type { BuilderChoice, DeployPlan } from '@sp/deploy';
import type { Context } from '../context.ts';
import { imageCacheDirectory } from '../local-cloud/data-directory.ts';
import { formatBytes } from '../output/bytes.ts';
import { renderFields } from '../output/table.ts';
import { profileEnvironment } from '../secrets/profile-environment.ts';
import { baseRegistry } from './base-registry.ts';
import { pickProfile } from './pick-profile.ts';

/** What `cloud deploy --plan` answers: names and sizes, no value of a secret. */
export interface DeployPlanResult
  extends Pick<
    DeployPlan,
    'tenantId' | 'image' | 'builder' | 'layers' | 'healthCheck' | 'digest' | 'uploadBytes' | 'secrets' | 'configuration'
  > {
  readonly profile: string;
  /** Members of `secrets.json` that are left out, because their value is no text. */
  readonly dropped: readonly string[];
  /** Number of the release that runs; absent: none. */
  readonly currentRelease?: number | undefined;
  readonly nextRelease: number;
  readonly downtime: DeployPlan['downtime'];
  readonly changes?: boolean | undefined;
}

/** Says what a deploy of the profile would do, and does nothing. */
export async function planOnly(
  context: Context,
  options: {
    readonly profile: string | undefined;
    readonly builder: BuilderChoice;
    readonly base: string | undefined;
    readonly bin: string;
  },
): Promise<DeployPlanResult> {
  const { signal, env, progress } = context;
  const project = context.requireProject();
  const { name, tenantId } = await pickProfile(options.profile, { context, project, bin: options.bin });
  const { planDeploy } = await import('@sp/deploy');
  progress.note(`Planning a deploy of the profile ${name} to the tenant ${tenantId}`);
  const environment = await profileEnvironment(context, { project, profile: name });
  const plan = await planDeploy({
    api: await context.api(),
    tenantId,
    planOptions: { projectRoot: project.root, profileName: name, base: options.base },
    builder: options.builder,
    cacheDirectory: imageCacheDirectory(env),
    baseRegistry: baseRegistry(context),
    secrets: environment.secrets,
    signal,
  });
  const { image, builder, layers, healthCheck, digest, uploadBytes, secrets, configuration } = plan;
  const { current, nextRelease, downtime, changes } = plan;
  const built = { image, builder, layers, healthCheck, digest, uploadBytes };
  const about = { ...built, secrets, configuration, nextRelease, downtime, changes };
  const { dropped } = environment;
  return { profile: name, tenantId, currentRelease: current?.number, dropped, ...about };
}

/** The plan as people read it. */
export function renderPlan(plan: DeployPlanResult): string {
  return renderFields({
    Release: `${plan.currentRelease ?? 'none'} → ${plan.nextRelease}`,
    Changes: plan.changes === undefined ? 'unknown' : plan.changes ? 'yes' : 'none',
    Image: plan.image,
    Digest: plan.digest,
    Upload: plan.uploadBytes === undefined ? undefined : `at most ${formatBytes(plan.uploadBytes)}`,
    Secrets: diffLine(plan.secrets),
    Configuration: plan.configuration === undefined ? 'unknown' : diffLine(plan.configuration),
    'Health check': plan.healthCheck === false ? 'none in the image: its base cannot run one' : undefined,
    Downtime: plan.downtime === 'none' ? 'none' : 'until the machine is healthy',
  });
}

/** `+` what comes, `~` what changes, `-` what goes. */
function diffLine({ added, changed, removed }: NonNullable<DeployPlan['configuration']>): string {
  const names = [
    ...added.map((name) => `+${name}`),
    ...changed.map((name) => `~${name}`),
    ...removed.map((name) => `-${name}`),
  ];
  return names.join(' ') || 'unchanged';
}
