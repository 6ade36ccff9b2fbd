import type { DockerBuilderOptions } from '../docker/docker-builder.ts';
import type { OciBuilderOptions } from '../oci/oci-builder.ts';
import type { ImagePlan } from '../plan/image-plan.ts';
import type { PlanImageOptions } from '../plan/plan-image.ts';
import type { BuilderChoice } from '../resolve-builder.ts';
import type { TenantOptions } from './deploy-api.ts';
import type { WaitOptions } from './releases.ts';

/** A project and the tenant that it is for. */
export type DeploySource = TenantOptions & {
  /** @defaultValue 'auto' */
  readonly builder?: BuilderChoice | undefined;
  /** How the docker CLI is run, and which: `podman` and `nerdctl` do too. */
  readonly docker?: DockerBuilderOptions | undefined;
  /** Where the in-process builder keeps layers and bases between deploys. */
  readonly cacheDirectory: string;
  /** How the in-process builder talks to a base's registry. @defaultValue anonymous */
  readonly baseRegistry?: OciBuilderOptions['baseRegistry'];
  /** Environment variables that are set before the new machine starts. @defaultValue none */
  readonly secrets?: Readonly<Record<string, string>> | undefined;
  /** Removes variables that the tenant has and `secrets` has not. @defaultValue false */
  readonly pruneSecrets?: boolean | undefined;
} & (
    | { readonly plan: ImagePlan; readonly planOptions?: undefined }
    | { readonly planOptions: PlanImageOptions; readonly plan?: undefined }
  );

/** What must still be so for a deploy to go on: `deploy({ ...options, ...plan.expected })`. */
export interface DeployExpectations {
  /** Number of the release that runs, 0 for none; else the deploy is refused (`SP_DEPLOY_REMOTE_MOVED`). @defaultValue any */
  readonly expectedRelease?: number | undefined;
  /** Version of the tenant's secrets; else the deploy is refused (`SP_DEPLOY_REMOTE_MOVED`). @defaultValue any */
  readonly expectedSecretsVersion?: number | undefined;
  /** What the in-process builder makes of the project; else the deploy is refused (`SP_DEPLOY_PROJECT_CHANGED`). @defaultValue any */
  readonly expectedDigest?: string | undefined;
}

/** What is deployed, and where to. */
export type DeployOptions = DeploySource &
  DeployExpectations &
  Pick<WaitOptions, 'healthTimeoutMs' | 'pollIntervalMs'> & {
    /** Runs what the registry has already: nothing is planned, built or pushed. @defaultValue false */
    readonly skipPush?: boolean | undefined;
  };
