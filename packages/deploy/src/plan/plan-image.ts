import { DeployError, type ProjectFinding, throwIfAborted } from '../deploy-error.ts';
import { findProfileDockerfile } from '../dockerfile/profile-dockerfile.ts';
import { validateDockerfile } from '../dockerfile/validate-dockerfile.ts';
import { debianPackages } from './debian.ts';
import { listExtensions, listMcpBinaries } from './extensions.ts';
import { createIgnoreMatcher } from './ignore-rules.ts';
import { builtInIgnore, secretIgnore } from './ignored-paths.ts';
import type { ImagePlan, PlanCopy, PlanFile, PlanLayer } from './image-plan.ts';
import { parentFolders } from './parent-folders.ts';
import { profileSecretPaths, profilesFolder } from './profile-secrets.ts';
import { entryKind, listProjectFiles, readProjectText } from './project-files.ts';
import { tenantHealthCheck } from './tenant-health-check.ts';
import { imageDirectories, tenantCommand, tenantEnvironment, tenantPort } from './tenant-image.ts';

/** What {@link planImage} plans. */
export interface PlanImageOptions {
  /** Absolute path of the project. */
  readonly projectRoot: string;
  /** The profile that the tenant runs with: a folder of `.systemprompt/profiles`. */
  readonly profileName: string;
  /**
   * What the image builds on: `scratch`, `oci:<image layout folder>`, `docker-archive:<file>`, or an image in a registry.
   *
   * @defaultValue 'debian:bookworm-slim'
   */
  readonly base?: string | undefined;
  /** What the image has to run on, in Go's words. @defaultValue the layout's that it builds on, else linux/amd64 */
  readonly platform?: ImagePlan['platform'];
  /**
   * Names of MCP programs in `target/release`.
   *
   * @defaultValue those of the enabled extensions that are not `dev_only`
   */
  readonly mcpBinaries?: readonly string[] | undefined;
  /** Stops the reading of the project. */
  readonly signal?: AbortSignal | undefined;
}

/** The base of a tenant image when none is chosen. */
export const defaultBase = 'debian:bookworm-slim';

/**
 * Reads the project and says what its image consists of. Files with secrets and what `.dockerignore` rules exclude
 * (a built-in list and the profile's `docker/Dockerfile.dockerignore`) are not in it.
 *
 * @throws {@link DeployError} `SP_DEPLOY_PROJECT_INCOMPLETE` with everything that is missing, `SP_DEPLOY_BASE_UNSUPPORTED`,
 * `SP_DEPLOY_ABORTED`
 * @example
 * const plan = await planImage({ projectRoot: '/home/ada/site', profileName: 'production' });
 */
export async function planImage(options: PlanImageOptions): Promise<ImagePlan> {
  const { projectRoot, profileName, base = defaultBase, platform, signal } = options;
  if (!/^[A-Za-z0-9_-]+$/.test(profileName)) {
    throw incomplete(projectRoot, [{ path: `${profilesFolder}/${profileName}`, problem: 'not a profile name' }]);
  }
  // It becomes a line of a Dockerfile.
  if (/\p{Cc}/u.test(base)) {
    throw new DeployError('SP_DEPLOY_BASE_UNSUPPORTED', `Cannot build on ${JSON.stringify(base)}: it is no one line`);
  }
  const findings: ProjectFinding[] = [];
  const extensions = await listExtensions(projectRoot, findings);
  const production = await listMcpBinaries(projectRoot, { extensions, findings });
  const mcpBinaries = options.mcpBinaries ?? production;
  const profile = `${profilesFolder}/${profileName}`;
  const ownRules = (await readProjectText(projectRoot, `${profile}/docker/Dockerfile.dockerignore`)) ?? '';
  const rules = [...builtInIgnore, ...ownRules.split(/\r?\n/)];
  const neverCopy = [...secretIgnore, ...(await profileSecretPaths(projectRoot, findings))];
  const ignore = createIgnoreMatcher(rules, neverCopy);
  const dockerfile = await findProfileDockerfile(projectRoot, profileName);

  const wanted: Wanted[] = [
    ...['systemprompt', ...mcpBinaries].map((name) => program(name)),
    folder('storage', '/app/storage', 'storage', 'required'),
    folder('web/dist', '/app/web/dist', 'web', 'optional'),
    ...extensions.map(({ directory }) => folder(directory, `/app/${directory}`, 'extensions', 'optional')),
    folder('services', '/app/services', 'services', 'required'),
    folder(profilesFolder, '/app/services/profiles', 'services', 'required'),
  ];
  if ((await entryKind(projectRoot, `${profile}/profile.yaml`)) !== 'file') {
    findings.push({ path: `${profile}/profile.yaml`, problem: 'missing' });
  }
  findings.push(...(await missingArtifacts(projectRoot)));
  if (dockerfile !== undefined) {
    const { path, text } = dockerfile;
    for (const { problem, line, add } of validateDockerfile(text, { mcpBinaries })) {
      findings.push({ path, problem, ...(line === undefined ? {} : { line }), ...(add === undefined ? {} : { add }) });
    }
  }
  const copies: PlanCopy[] = [];
  const files = new Map<string, PlanFile>();
  for (const { need, ...copy } of wanted) {
    throwIfAborted(signal);
    const kind = await entryKind(projectRoot, copy.source);
    if (kind === copy.kind) {
      const listed = await listProjectFiles(copy.source, { projectRoot, ignore, findings });
      if (listed.length > 0) copies.push(copy);
      for (const file of listed) {
        const destination = copy.destination + file.path.slice(copy.source.length);
        const mode = copy.layer === 'bin' || file.executable ? 0o755 : 0o644;
        const { path: source, identity } = file;
        files.set(destination, { source, destination, mode, layer: copy.layer, identity });
      }
      if (listed.length === 0 && copy.kind === 'file') findings.push({ path: copy.source, problem: 'excluded' });
    } else if (kind !== undefined) findings.push({ path: copy.source, problem: `not a ${copy.kind}` });
    else if (need === 'required') findings.push({ path: copy.source, problem: 'missing' });
  }
  if (findings.length > 0) throw incomplete(projectRoot, findings);

  return {
    projectRoot,
    base,
    files: Array.from(files.values()).toSorted((a, b) => (a.destination < b.destination ? -1 : 1)),
    copies,
    directories: directoriesOf(copies),
    env: tenantEnvironment(profileName),
    user: '1000:1000',
    workingDir: '/app',
    port: tenantPort,
    healthCheck: tenantHealthCheck(base, tenantPort),
    command: tenantCommand,
    labels: { 'io.systemprompt.profile': profileName },
    packages: debianPackages(base),
    ...(platform === undefined ? {} : { platform }),
    ...(dockerfile === undefined ? {} : { dockerfile: { ...dockerfile, ignore: rules, neverCopy } }),
  };
}

/** Folders that the tenant cannot do without, in folders that are looked at anyway. */
async function missingArtifacts(projectRoot: string): Promise<readonly ProjectFinding[]> {
  const findings: ProjectFinding[] = [];
  for (const [parent, path] of [
    ['storage', 'storage/files'],
    ['services', 'services/web/templates'],
  ] as const) {
    if ((await entryKind(projectRoot, parent)) !== 'directory') continue;
    if ((await entryKind(projectRoot, path)) !== 'directory') findings.push({ path, problem: 'missing' });
  }
  return findings;
}

/** The tenant's folders and those above every copy, which docker would otherwise make as root. */
function directoriesOf(copies: readonly PlanCopy[]): readonly string[] {
  const above = copies.flatMap(({ destination }) => parentFolders(destination, '/app'));
  return Array.from(new Set([...imageDirectories, ...above])).toSorted();
}

type Wanted = PlanCopy & { readonly need: 'required' | 'optional' };

function program(name: string): Wanted {
  const source = `target/release/${name}`;
  return { source, destination: `/app/bin/${name}`, kind: 'file', layer: 'bin', need: 'required' };
}

function folder(source: string, destination: string, layer: PlanLayer, need: Wanted['need']): Wanted {
  return { source, destination, kind: 'directory', layer, need };
}

function incomplete(projectRoot: string, findings: readonly ProjectFinding[]): DeployError {
  const list = findings.map(({ path, problem, line }) => {
    return `${path}${line === undefined ? '' : `:${line}`} (${problem})`;
  });
  return new DeployError('SP_DEPLOY_PROJECT_INCOMPLETE', `Cannot make an image of ${projectRoot}: ${list.join(', ')}`, {
    findings,
  });
}
