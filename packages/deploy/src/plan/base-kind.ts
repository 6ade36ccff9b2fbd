/** What a base is: nothing, an image layout or a `docker save` archive on disk, or an image in a registry. */
export type BaseKind =
  | { readonly kind: 'scratch' }
  | { readonly kind: 'layout'; readonly path: string }
  | { readonly kind: 'archive'; readonly path: string }
  | { readonly kind: 'registry' };

/** Reads {@link ImagePlan.base}. */
export function parseBase(base: string): BaseKind {
  if (base === 'scratch') return { kind: 'scratch' };
  if (base.startsWith('oci:')) return { kind: 'layout', path: base.slice('oci:'.length) };
  if (base.startsWith('docker-archive:')) return { kind: 'archive', path: base.slice('docker-archive:'.length) };
  return { kind: 'registry' };
}
