/** How often a part of the image changes; each layer is one part, so that a small change is a small upload. */
export type PlanLayer = 'bin' | 'storage' | 'web' | 'extensions' | 'services';

/** The layers in the order in which they are stacked. */
export const planLayers: readonly PlanLayer[] = ['bin', 'storage', 'web', 'extensions', 'services'];

/** One file of the image. */
export interface PlanFile {
  /** Relative to the project, `/` between segments. */
  readonly source: string;
  /** Absolute path in the image. */
  readonly destination: string;
  /** Permission bits, `0o755` for programs and `0o644` for everything else. */
  readonly mode: number;
  /** The layer that it goes into. */
  readonly layer: PlanLayer;
  /**
   * `fileIdentity` of `@sp/oci` for the file that was looked at. A build refuses anything that took its place meanwhile, for example
   * a link to a file outside of the project (`SP_DEPLOY_PROJECT_CHANGED`). @defaultValue any file
   */
  readonly identity?: string | undefined;
}

/** One file or folder that is copied with everything in it; {@link ImagePlan.files} is what that comes to. */
export interface PlanCopy {
  /** Relative to the project, `/` between segments. */
  readonly source: string;
  /** Absolute path in the image. */
  readonly destination: string;
  /** What `source` is. */
  readonly kind: 'file' | 'directory';
  /** The layer that it goes into. */
  readonly layer: PlanLayer;
}

/** How an engine finds out that the tenant serves. */
export interface PlanHealthCheck {
  /** Path of a GET that answers 200. */
  readonly path: string;
  /** What a shell in the container runs, 0 when it is healthy. Without it the image has its base's check, or none. */
  readonly command?: string | undefined;
  /** Time between two checks. */
  readonly intervalSeconds: number;
  /** How long one check may take. */
  readonly timeoutSeconds: number;
  /** For so long after its start a container may fail without being unhealthy. */
  readonly startPeriodSeconds: number;
  /** Failures in a row that make it unhealthy. */
  readonly retries: number;
}

/** A Dockerfile that was edited by hand: it says what is in the image, and only docker can build it. */
export interface PlanDockerfile {
  /** Relative to the project. */
  readonly path: string;
  /** The whole file. */
  readonly text: string;
  /** What of the project docker does not get to see, in the words of `.dockerignore`. */
  readonly ignore: readonly string[];
  /** The same for secrets; no `!` takes these back. */
  readonly neverCopy: readonly string[];
}

/** Everything that is in a tenant's image. Nothing but the plan knows it; both builders make the same image of it. */
export interface ImagePlan {
  /** Absolute path that `source` paths are relative to. */
  readonly projectRoot: string;
  /** `scratch`, `oci:<image layout folder>`, `docker-archive:<file>`, or an image in a registry. */
  readonly base: string;
  /** What the image has to run on; a base for anything else is refused. @defaultValue a layout's own, else linux/amd64 */
  readonly platform?: { readonly os: string; readonly architecture: string } | undefined;
  /** Sorted by destination. */
  readonly files: readonly PlanFile[];
  /** In the order of copying: a later one wins. */
  readonly copies: readonly PlanCopy[];
  /** Folders that exist even when they are empty, absolute, sorted. */
  readonly directories: readonly string[];
  /** `$PATH` in a value stands for the base's. */
  readonly env: Readonly<Record<string, string>>;
  /** Numeric `user:group`, who also owns all files. */
  readonly user: string;
  /** Absolute path of the folder that a container starts in. */
  readonly workingDir: string;
  /** TCP port that the tenant serves at. */
  readonly port: number;
  /** How an engine finds out that a container serves. */
  readonly healthCheck: PlanHealthCheck;
  /** What a container runs. */
  readonly command: readonly string[];
  /** Any facts about the image, by name. */
  readonly labels: Readonly<Record<string, string>>;
  /** Debian packages to install; empty for bases that are not Debian. */
  readonly packages: readonly string[];
  /** Builds the image instead of all this, when the profile has one. */
  readonly dockerfile?: PlanDockerfile | undefined;
}
