import { constants } from 'node:fs';
import { access, lstat, readdir, readFile, realpath, stat } from 'node:fs/promises';
import { isAbsolute, join, relative, sep } from 'node:path';
import { fileIdentity } from '@sp/oci';
import type { ProjectFinding } from '../deploy-error.ts';
import type { IgnoreMatcher } from './ignore-rules.ts';

/** A file below a copied folder. */
export interface ProjectFile {
  /** Relative to the project. */
  readonly path: string;
  readonly executable: boolean;
  /** `fileIdentity` of `@sp/oci`. */
  readonly identity: string;
}

/** What {@link listProjectFiles} needs to know about the project. */
export interface ListProjectFilesOptions {
  readonly projectRoot: string;
  readonly ignore: IgnoreMatcher;
  /** Gets what cannot be copied. */
  readonly findings: ProjectFinding[];
}

/**
 * All files at or below `path`. Symbolic links become what they point to; a link that leaves the project, leads to
 * an ignored file, or closes a circle is reported, since it would carry something into the image that nobody asked for.
 */
export async function listProjectFiles(
  path: string,
  options: ListProjectFilesOptions,
): Promise<readonly ProjectFile[]> {
  const root = await realpath(options.projectRoot);
  const files: ProjectFile[] = [];

  async function visit(current: string, above: readonly string[]): Promise<void> {
    const out = options.ignore.ignores(current);
    if (out && !options.ignore.hasExceptions) return;
    const report = (problem: string): void => {
      if (!out) options.findings.push({ path: current, problem });
    };
    const target = await realpath(join(options.projectRoot, current)).catch(() => undefined);
    if (target === undefined) return report('broken symbolic link');
    const inside = relative(root, target);
    if (inside.startsWith('..') || isAbsolute(inside)) return report('symbolic link that leaves the project');
    const real = toPlanPath(inside);
    if (real !== current && options.ignore.ignores(real)) return report('symbolic link to an excluded file');
    // Not through a link that took its place just now.
    const stats = await lstat(target, { bigint: true }).catch(() => undefined);
    if (stats === undefined) return report('broken symbolic link');
    if (stats.isDirectory()) {
      if (above.includes(target)) return report('symbolic link to a folder above it');
      const names = await readdir(target);
      for (const name of names.toSorted()) await visit(`${current}/${name}`, [...above, target]);
    } else if (stats.isFile()) {
      if (out) return;
      if (!(await isReadable(target))) return report('not readable');
      files.push({ path: current, executable: (stats.mode & 0o111n) !== 0n, identity: fileIdentity(stats) });
    } else report('neither a file nor a folder');
  }

  await visit(path, []);
  return files;
}

/** What is at `path` of the project, or `undefined`. */
export async function entryKind(projectRoot: string, path: string): Promise<'file' | 'directory' | undefined> {
  const stats = await stat(join(projectRoot, path)).catch(() => undefined);
  if (stats?.isFile()) return 'file';
  return stats?.isDirectory() ? 'directory' : undefined;
}

/** The text of a file of the project, or `undefined` when it cannot be read. */
export async function readProjectText(projectRoot: string, path: string): Promise<string | undefined> {
  return readFile(join(projectRoot, path), 'utf8').catch(() => undefined);
}

/** The names below a folder of the project, sorted; none when it is not there. */
export async function listNames(projectRoot: string, path: string): Promise<readonly string[]> {
  const names: readonly string[] = await readdir(join(projectRoot, path)).catch(() => []);
  return names.toSorted();
}

function toPlanPath(path: string): string {
  return sep === '/' ? path : path.split(sep).join('/');
}

function isReadable(path: string): Promise<boolean> {
  return access(path, constants.R_OK).then(
    () => true,
    () => false,
  );
}
