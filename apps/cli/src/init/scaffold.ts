import { access, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { cloudDockerignore, cloudGitignore } from './ignore-files.ts';
import { serviceFiles } from './service-files.ts';

/** What {@link scaffoldProject} did; paths are relative to the project. */
export interface ScaffoldResult {
  readonly created: readonly string[];
  /** Existed with other content and was replaced. */
  readonly replaced: readonly string[];
  /** Existed and was left alone. */
  readonly kept: readonly string[];
}

/**
 * Makes `.systemprompt/` and, when there is no `services/`, a minimal one. What exists stays as it is; with `force` the
 * files that this makes get their first content again, and nothing else is touched.
 */
export async function scaffoldProject(root: string, { force = false } = {}): Promise<ScaffoldResult> {
  const created: string[] = [];
  const replaced: string[] = [];
  const kept: string[] = [];
  await mkdir(join(root, '.systemprompt'), { recursive: true, mode: 0o700 });

  const files: Record<string, string> = {
    '.systemprompt/.gitignore': cloudGitignore,
    '.systemprompt/.dockerignore': cloudDockerignore,
    ...(force || !(await exists(join(root, 'services'))) ? serviceFiles : {}),
  };
  for (const [name, content] of Object.entries(files)) {
    const path = join(root, name);
    const existing = await readFile(path, 'utf8').catch(() => undefined);
    if (existing === undefined) {
      await writeAtomically(path, content);
      created.push(name);
    } else if (existing !== content && (force || isPlaceholder(name, existing))) {
      await writeAtomically(path, content);
      replaced.push(name);
    } else {
      kept.push(name);
    }
  }
  return { created, replaced, kept };
}

/** A login before `init` hides the whole folder from git; profiles are meant to be committed. */
function isPlaceholder(name: string, existing: string): boolean {
  return name === '.systemprompt/.gitignore' && existing.trim() === '*';
}

async function writeAtomically(path: string, content: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    await writeFile(temporary, content);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
