/** Where the files of a SystemPrompt project are on disk. */
export {
  type CloudPath,
  type CloudPaths,
  type ConfiguredCloudPathsOptions,
  createCloudPaths,
  createConfiguredCloudPaths,
  getCloudPaths,
} from './cloud-paths.ts';
export { createDiscoveredProject, type DiscoveredProject, findProject } from './discovered-project.ts';
export { type DiscoveryOptions, type EntryKind, type FileSystemOptions } from './file-system.ts';
export { type PathFlavour, type PathOptions } from './path-flavour.ts';
export { isDirectoryPath, isDockerFile } from './path-kind.ts';
export { isPathsError, PathsError, type PathsErrorCode } from './paths-error.ts';
export { type ProfilePath, type ProfilePaths, profilePaths, resolveProfilePath } from './profile-path.ts';
export { createProjectContext, discoverProjectContext, type ProjectContext } from './project-context.ts';
export { type ProjectPath, resolveProjectPath } from './project-path.ts';
export { expandHome, type HomeOptions, resolvePath } from './resolve-path.ts';
export { discoverUnifiedContext, type UnifiedContext, type UnifiedContextOptions } from './unified-context.ts';
