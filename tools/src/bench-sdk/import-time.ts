import { entryUrl, medians, runNode } from './measure.ts';
import type { PackageEntry } from './package-entries.ts';

/** Milliseconds from nothing to an imported package, by its specifier; `node` is a Node that does nothing. */
export async function importTimes(
  root: string,
  entries: readonly PackageEntry[],
): Promise<Readonly<Record<string, number>>> {
  const imports = entries.map(
    ({ specifier, entry }) =>
      [specifier, () => runNode(`await import(${JSON.stringify(entryUrl(root, entry))})`)] as const,
  );
  return medians({ node: () => runNode('0'), ...Object.fromEntries(imports) });
}
