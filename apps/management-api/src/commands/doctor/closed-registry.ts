import type { Configuration } from '../../configuration/configuration.ts';
import { createImages, type Images } from '../../images/registry.ts';

/** The registry's content for drivers that are only asked: nobody is let in, and nothing is collected. */
export function closedRegistry({ registryDirectory: directory }: Pick<Configuration, 'registryDirectory'>): {
  readonly images: Images;
  readonly registry: string;
} {
  const registry = '127.0.0.1';
  return { images: createImages({ directory, registry, secret: new Uint8Array(32) }), registry };
}
