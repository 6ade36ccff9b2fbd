import { posix, win32 } from 'node:path';
import { expectTypeOf, test } from 'vitest';
import {
  type CloudPath,
  type CloudPaths,
  createCloudPaths,
  createDiscoveredProject,
  createProjectContext,
  type DiscoveredProject,
  type DiscoveryOptions,
  discoverUnifiedContext,
  type EntryKind,
  expandHome,
  findProject,
  getCloudPaths,
  isPathsError,
  type PathFlavour,
  type PathsErrorCode,
  type ProfilePath,
  type ProfilePaths,
  type ProjectContext,
  type ProjectPath,
  resolvePath,
  type UnifiedContext,
} from '../src/index.ts';

// Checked by `tsc --noEmit`; nothing of it runs.
test('types', () => {
  expectTypeOf<CloudPath>().toEqualTypeOf<'credentials' | 'tenants' | 'cli-session' | 'sessions-dir'>();
  expectTypeOf<'dockerfile' | 'profiles-dir'>().toExtend<ProjectPath>();
  expectTypeOf<'config' | 'secrets' | 'compose'>().toExtend<ProfilePath>();
  expectTypeOf<PathsErrorCode>().toEqualTypeOf<'SP_PATHS_PROFILE_NAME'>();

  expectTypeOf(createCloudPaths).returns.toEqualTypeOf<CloudPaths>();
  expectTypeOf(createProjectContext).returns.toEqualTypeOf<ProjectContext>();
  expectTypeOf(createDiscoveredProject).returns.toEqualTypeOf<DiscoveredProject>();
  expectTypeOf(findProject).returns.toEqualTypeOf<DiscoveredProject | undefined>();
  expectTypeOf(discoverUnifiedContext).returns.toEqualTypeOf<UnifiedContext>();
  expectTypeOf(getCloudPaths).parameter(0).toEqualTypeOf<DiscoveryOptions>();
  expectTypeOf<ProjectContext['profile']>().returns.toEqualTypeOf<ProfilePaths>();
  expectTypeOf<UnifiedContext['profile']>().returns.toEqualTypeOf<ProfilePaths | undefined>();
  expectTypeOf<UnifiedContext['cloudPaths']>().toEqualTypeOf<CloudPaths | undefined>();
  expectTypeOf<CloudPaths['resolve']>().parameter(0).toEqualTypeOf<CloudPath>();

  // Node's own modules are flavours, and a function is a disk.
  expectTypeOf(win32).toExtend<PathFlavour>();
  expectTypeOf(posix).toExtend<PathFlavour>();
  expectTypeOf<() => 'directory'>().toExtend<EntryKind>();
  expectTypeOf(resolvePath).toBeCallableWith('/base', '~/x', { home: '/home/me' });
  expectTypeOf(expandHome).returns.toEqualTypeOf<string>();

  const error: unknown = undefined;
  if (isPathsError(error)) expectTypeOf(error.profileName).toEqualTypeOf<string>();
  const context = createProjectContext('/project');
  // @ts-expect-error there is no such path
  context.resolve('docker');
  // @ts-expect-error what was found is not for writing
  context.root = '/elsewhere';
});
