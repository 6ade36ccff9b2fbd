/** What a base is: nothing, an image layout on disk, or an image in a registry. */
export type BaseKind =
  | { readonly kind: 'scratch' }
  | { readonly kind: 'layout'; readonly directory: string }
  | { readonly kind: 'registry' };

/** Reads {@link ImagePlan.base}. */
export function parseBase(base: string): BaseKind {
  if (base === 'scratch') return { kind: 'scratch' };
  return base.startsWith('oci:') ? { kind: 'layout', directory: base.slice('oci:'.length) } : { kind: 'registry' };
}
