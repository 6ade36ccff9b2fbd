import type { Configuration } from '../../configuration/configuration.ts';
import { createImages, type Images } from '../../images/registry.ts';

/** The registry's content for drivers that are only asked: nobody is let in, and nothing is collected. */
export function closedRegistry(configuration: Pick<Configuration, 'registryDirectory' | 'baseUrl'>): {
  readonly images: Images;
  readonly registry: string;
} {
  const { registryDirectory: directory, baseUrl } = configuration;
  // Containers are known by it.
  const registry = new URL(baseUrl).host;
  return { images: createImages({ directory, registry, secret: new Uint8Array(32) }), registry };
}
