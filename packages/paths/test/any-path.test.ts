import { posix, win32 } from 'node:path';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  createConfiguredCloudPaths,
  discoverProjectContext,
  expandHome,
  findProject,
  isPathsError,
  profilePaths,
  resolvePath,
} from '../src/index.ts';

const flavour = fc.constantFrom(posix, win32);
const part = fc.oneof(
  fc.constantFrom('..', '.', '~', '', 'C:', '.systemprompt', 'services', '\\\\server\\share', '\0'),
  fc.string({ maxLength: 8 }),
);
const anyPath = fc
  .tuple(fc.array(part, { maxLength: 6 }), fc.constantFrom('/', '\\'), fc.boolean())
  .map(([parts, separator, absolute]) => (absolute ? separator : '') + parts.join(separator));

test('a profile never leaves the directory of the profiles', () => {
  fc.assert(
    fc.property(fc.oneof(anyPath, fc.string({ unit: 'binary' })), flavour, (name, path) => {
      const root = path === posix ? '/site' : 'C:\\site';
      try {
        const { dir, config } = profilePaths(root, name, { path });
        expect(path.dirname(path.normalize(dir))).toBe(path.join(root, '.systemprompt', 'profiles'));
        expect(path.dirname(path.normalize(config))).toBe(path.normalize(dir));
      } catch (error) {
        expect(isPathsError(error)).toBe(true);
      }
    }),
  );
});

test('a path is either absolute as it is, or below the base', () => {
  fc.assert(
    fc.property(anyPath, flavour, (written, path) => {
      const base = path === posix ? '/site' : 'C:\\site';
      const resolved = resolvePath(base, written, { path, home: path === posix ? '/home/ada' : 'C:\\Users\\Ada' });
      if (written.startsWith('~/')) expect(resolved.endsWith(written.slice(2))).toBe(true);
      else expect(resolved).toBe(path.isAbsolute(written) ? written : base + path.sep + written);
      expect(path.isAbsolute(resolved)).toBe(true);
    }),
  );
});

test('only a leading `~/` is the home', () => {
  fc.assert(
    fc.property(anyPath, (written) => {
      const expanded = expandHome(written, { path: posix, home: '/home/ada' });
      expect(expanded).toBe(written.startsWith('~/') ? `/home/ada/${written.slice(2)}` : written);
    }),
  );
});

test('a search ends, wherever it begins, and finds only what is around the start', () => {
  fc.assert(
    fc.property(anyPath, flavour, fc.nat(), (from, path, seed) => {
      let asked = 0;
      const entryKind = (): 'directory' | undefined => {
        asked += 1;
        return asked % 7 === seed % 7 ? 'directory' : undefined;
      };
      const found = findProject({ from, path, entryKind });
      if (found !== undefined && found.root !== '.') expect(from.startsWith(found.root)).toBe(true);
      const { root } = discoverProjectContext({ from, path, entryKind });
      if (root !== '.') expect(from.startsWith(root)).toBe(true);
      expect(asked).toBeLessThan(500);
    }),
  );
});

test('configured places of any kind give places', () => {
  fc.assert(
    fc.property(anyPath, anyPath, flavour, (credentialsPath, tenantsPath, path) => {
      const paths = createConfiguredCloudPaths({
        profileDir: '/p',
        credentialsPath,
        tenantsPath,
        path,
        home: '/home/ada',
      });
      for (const place of ['credentials', 'tenants', 'cli-session', 'sessions-dir'] as const) {
        expect(paths.resolve(place)).not.toBe('');
      }
    }),
  );
});
