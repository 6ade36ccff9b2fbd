import type { RegistryToken } from '@sp/cloud-api';
import type { BlobStore, OciImage } from '@sp/oci';
import type { ImagePlan, PlanLayer } from './plan/image-plan.ts';

/** How far a step is. */
export interface StepProgress {
  /** One line for people, without secrets. */
  readonly message: string;
  /** Units of work done, of `total`; bytes for uploads. */
  readonly done?: number | undefined;
  /** How many units there are. */
  readonly total?: number | undefined;
}

/** A layer that was made of a project's files, or taken from the cache. */
export interface BuiltPlanLayer {
  /** Which part of the project is in it. */
  readonly name: PlanLayer;
  /** Of the compressed layer. */
  readonly digest: string;
  /** Compressed. */
  readonly size: number;
  /** Whether it was there already. */
  readonly cached: boolean;
}

/** An image that exists on this computer. */
export type BuiltImage =
  | {
      readonly kind: 'oci';
      readonly image: OciImage;
      /** Where the image's blobs are, searched in order. */
      readonly blobs: readonly BlobStore[];
      /** The layers that the project added to its base, the lowest first. */
      readonly layers?: readonly BuiltPlanLayer[] | undefined;
      /** The base with the digest that its name stood for; `undefined` for a base that is in no registry. */
      readonly base?: string | undefined;
      /**
       * Whether the plan's health check is in the image. Not on a base without a shell, or without curl and wget: an engine
       * would call a tenant that serves unhealthy. The platform asks from outside in any case.
       */
      readonly healthCheck?: boolean | undefined;
    }
  | {
      readonly kind: 'docker';
      /** The name that the engine knows the image by. */
      readonly name: string;
    };

/** An image that is in a registry. */
export interface PushedImage {
  /** Digest of the manifest behind the tag. */
  readonly digest: string;
  /** Bytes that the registry did not have yet; `undefined` when docker pushed, which does not say. */
  readonly uploadedBytes?: number | undefined;
}

/** Options of both methods of {@link ImageBuilder}. */
export interface BuilderRunOptions {
  /** Called with what is being done. */
  readonly onProgress?: ((progress: StepProgress) => void) | undefined;
  /** Gives up (`SP_DEPLOY_ABORTED`). */
  readonly signal?: AbortSignal | undefined;
}

/** Options of {@link ImageBuilder.build}. */
export interface BuildOptions extends BuilderRunOptions {
  /** `registry/repository:tag` that the image is for. */
  readonly name: string;
  /**
   * Where the image goes when it is pushed afterwards: new layers are sent there while the next are made. Nothing leads to
   * them before the push. Docker builds everything first. @defaultValue nothing is sent
   */
  readonly target?: RegistryToken | undefined;
}

/** Makes images of plans. Both builders make the same files, owners, modes and configuration. */
export interface ImageBuilder {
  /** `oci`: in this process, without an engine; `docker`: by the docker CLI. */
  readonly kind: 'oci' | 'docker';
  /** Makes the image on this computer, or in the engine. @throws {@link DeployError} `SP_DEPLOY_BASE_UNSUPPORTED`, `SP_DEPLOY_BUILD_FAILED`, `SP_DEPLOY_DOCKER_FAILED`, `SP_DEPLOY_DOCKER_UNAVAILABLE`, `SP_DEPLOY_ABORTED` */
  build(plan: ImagePlan, options: BuildOptions): Promise<BuiltImage>;
  /** Sends the image to a registry; the tag moves last. @throws {@link DeployError} `SP_DEPLOY_PUSH_FAILED`, `SP_DEPLOY_DOCKER_FAILED`, `SP_DEPLOY_ABORTED` */
  push(image: BuiltImage, target: RegistryToken, options?: BuilderRunOptions): Promise<PushedImage>;
}

/** `registry/repository:tag` of a registry token: the only name that the platform accepts. */
export function imageName(target: RegistryToken): string {
  return `${target.registry}/${target.repository}:${target.tag}`;
}
