import { createHash } from 'node:crypto';
import type { Manifest } from '../file-facts.ts';

/** One hash for a whole tree: equal trees have equal ones. */
export function treeHash(files: Manifest): string {
  const paths = Array.from(files.keys()).sort();
  const hash = createHash('sha256');
  const lines: string[] = [];
  for (const path of paths) {
    const facts = files.get(path);
    if (facts !== undefined) lines.push(`${facts.mode === 0o755 ? 'x' : '-'} ${facts.hash} ${path}\n`);
  }
  return hash.update(lines.join('')).digest('hex');
}
