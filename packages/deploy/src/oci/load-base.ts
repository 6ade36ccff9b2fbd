import { resolve } from 'node:path';
import { type BaseImage, isOciError, type LoadBaseImageOptions, loadBaseImage, loadOciLayout } from '@sp/oci';
import { DeployError, isDeployError, throwIfAborted } from '../deploy-error.ts';
import { parseBase } from '../plan/base-kind.ts';
import type { ImagePlan } from '../plan/image-plan.ts';

/** How {@link loadBase} gets at a base. */
export interface LoadBaseOptions {
  /** Where what comes from registries and archives is kept. */
  readonly cacheDirectory: string;
  /** What a relative path is relative to. */
  readonly baseDirectory: string;
  readonly baseRegistry?: LoadBaseImageOptions['client'];
  readonly signal?: AbortSignal | undefined;
}

/** What tenants run on when neither the plan nor a layout on disk says otherwise. */
const tenantPlatform = { os: 'linux', architecture: 'amd64' };

/** What the trouble of a moment is: another attempt may find the base as it is. */
const passing: ReadonlySet<string> = new Set([
  'SP_OCI_NETWORK',
  'SP_OCI_REGISTRY',
  'SP_OCI_UNAUTHORIZED',
  'SP_OCI_DENIED',
  'SP_OCI_STORAGE',
  'SP_OCI_DIGEST_MISMATCH',
]);

/**
 * The image that a plan builds on, complete and on this computer; `undefined` for `scratch`.
 *
 * @throws {@link DeployError} `SP_DEPLOY_BASE_UNSUPPORTED` when nothing can be built on it here: no such image, none for
 * the platform, or packages to install; `SP_DEPLOY_BUILD_FAILED` when it could not be got
 */
export async function loadBase(plan: ImagePlan, options: LoadBaseOptions): Promise<BaseImage | undefined> {
  const { cacheDirectory, baseDirectory, baseRegistry: client, signal } = options;
  const cannot = (why: string): string => `Cannot build on ${plan.base} without docker: ${why}`;
  if (plan.packages.length > 0) {
    throw new DeployError('SP_DEPLOY_BASE_UNSUPPORTED', cannot('packages have to be installed in it'));
  }
  const base = parseBase(plan.base);
  try {
    if (base.kind === 'layout' && plan.platform === undefined) {
      // One on disk is what its owner wants, whatever it is for.
      return await loadOciLayout(resolve(baseDirectory, base.path), { signal });
    }
    const platform = plan.platform ?? tenantPlatform;
    return await loadBaseImage(reference(plan.base, baseDirectory), { platform, cacheDirectory, client, signal });
  } catch (error) {
    throwIfAborted(signal);
    // A login that could not be read says so itself.
    if (isDeployError(error)) throw error;
    const why = error instanceof Error ? error.message : 'unknown reason';
    const code = isOciError(error) && passing.has(error.code) ? 'SP_DEPLOY_BUILD_FAILED' : 'SP_DEPLOY_BASE_UNSUPPORTED';
    throw new DeployError(code, cannot(why), { cause: error });
  }
}

/** The base with its path made absolute. */
function reference(text: string, directory: string): string {
  const base = parseBase(text);
  if (base.kind === 'layout') return `oci:${resolve(directory, base.path)}`;
  return base.kind === 'archive' ? `docker-archive:${resolve(directory, base.path)}` : text;
}
