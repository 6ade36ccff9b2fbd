import type { Digest } from '@sp/oci';
import { copyImage } from '../../images/copy-image.ts';
import type { MachineSpec } from '../../ports/machines.ts';
import { MachineError } from '../machine-error.ts';
import type { FlyContext } from './fly-context.ts';

/** What Fly.io's machines run. */
const architecture = 'amd64';

/**
 * Copies the release's image to the app's own repository at Fly.io, which is asked first what it has; returns the
 * reference by digest.
 * @throws {@link MachineError} `SP_MACHINE_IMAGE`, and `OciError` when one of the registries fails
 */
export async function provideImage(
  context: FlyContext,
  spec: MachineSpec,
  options: { readonly signal: AbortSignal | undefined },
): Promise<string> {
  const { images, registry, registryClient } = context;
  const { appName, releaseId, tenantId, image } = spec;
  const copied = await copyImage({
    source: images,
    tenantId,
    digest: image.digest,
    architecture,
    target: registryClient,
    repository: appName,
    // A tag of its own, because what no tag leads to may be cleared away.
    tag: `release-${releaseId}`,
    signal: options.signal,
  });
  if ('unusable' in copied) throw imageError(spec, copied.unusable);
  return imageReference(registry, { appName, digest: copied.digest });
}

function imageReference(registry: string, image: { readonly appName: string; readonly digest: Digest }): string {
  return `${registry}/${image.appName}@${image.digest}`;
}

function imageError({ appName, releaseId }: MachineSpec, reason: string): MachineError {
  const message = `Cannot start release ${releaseId} of ${appName}: ${reason}`;
  return new MachineError('SP_MACHINE_IMAGE', { message, appName, releaseId, reason });
}
