/**
 * The packages that a tenant's server needs on a Debian base. Other bases get none: what they are, and how packages
 * get into them, is not known here.
 */
export function debianPackages(base: string): readonly string[] {
  const release = /^(?:docker\.io\/)?(?:library\/)?debian(?::(?<tag>[a-z0-9.-]+))?(?:@|$)/.exec(base);
  if (release === null) return [];
  const tag = release.groups?.['tag'] ?? 'latest';
  // Trixie renamed the package with its change to 64-bit time.
  const ssl = /^(?:trixie|13|forky|testing|sid|unstable|latest|stable)/.test(tag) ? 'libssl3t64' : 'libssl3';
  return ['ca-certificates', 'curl', ssl, 'libpq5', 'lsof'];
}
