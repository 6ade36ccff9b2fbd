import { lstatSync, readdirSync, realpathSync, rmSync, type Stats } from 'node:fs';
import { basename, dirname, join, relative, sep } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { unpackTar } from 'modern-tar/fs';
import { appRoot, mapAppPath } from './app-paths.ts';

type Header = Parameters<NonNullable<NonNullable<Parameters<typeof unpackTar>[1]>['filter']>>[0];

/**
 * Lays the part of a layer that is below `/app` over a folder, with the layer's deletions (whiteouts). Nothing is ever
 * written outside the folder: a layer that tries makes it fail, with files left in the folder. Special files and links
 * to places outside `/app` are left out.
 *
 * @returns whether the layer had anything below `/app`
 */
export async function unpackAppLayer(
  tar: AsyncIterable<Uint8Array>,
  options: { readonly directory: string; readonly signal?: AbortSignal | undefined },
): Promise<boolean> {
  const { directory, signal } = options;
  const root = realpathSync(directory);
  const written = new Set<string>();
  let found = false;

  const accept = (header: Header): boolean => {
    const path = appPath(header.name);
    if (path === undefined) return false;
    found = true;
    const name = basename(path);
    if (name === '.wh..wh..opq') return clear(root, dirname(path), written);
    if (name.startsWith('.wh.')) return remove(root, join(dirname(path), name.slice('.wh.'.length)));
    if (!['file', 'directory', 'symlink', 'link'].includes(header.type ?? 'file')) return false;
    if (header.type === 'symlink' && linkTarget(header, path) === undefined) return false;
    // What a lower layer has at this place gives way, so that nothing is written through a link.
    if (!written.has(path)) {
      makeRoomForParents(root, path);
      makeRoom(root, path, header.type === 'directory');
    }
    written.add(path);
    return true;
  };

  const place = (header: Header): Header => {
    const path = appPath(header.name) ?? header.name;
    const linkname =
      header.type === 'symlink'
        ? linkTarget(header, path)
        : header.type === 'link'
          ? appPath(header.linkname ?? '')
          : '';
    const ownerBits = header.type === 'directory' ? 0o700 : 0o600;
    return { ...header, name: path, linkname: linkname ?? '', mode: ((header.mode ?? 0o644) & 0o777) | ownerBits };
  };

  // `map` runs behind `filter`, so both read the name as the layer has it.
  const unpack = unpackTar(root, { filter: accept, map: place });
  await pipeline(Readable.from(tar, { objectMode: false }), unpack, { signal });
  return found;
}

/** `app/bin/x` → `bin/x`, `app` → `.`; `undefined` for what is not below `/app`. */
function appPath(name: string): string | undefined {
  const path = name.replace(/^(\.?\/)+/, '').replace(/\/+$/, '');
  if (path === 'app') return '.';
  if (!path.startsWith('app/')) return undefined;
  if (path.split('/').includes('..')) throw new Error(`The layer has an entry outside of /app: ${name}`);
  return path.slice('app/'.length);
}

/** Where a symbolic link goes, relative to itself; `undefined` for an absolute link to a place outside `/app`. */
function linkTarget(header: Header, path: string): string | undefined {
  const target = header.linkname ?? '';
  if (!target.startsWith('/')) return target;
  const mapped = mapAppPath(target, '');
  if (mapped === target && target !== appRoot) return undefined;
  return relative(dirname(join('/', path)), mapped || '/') || '.';
}

function makeRoom(root: string, path: string, forDirectory: boolean): void {
  if (path === '.') return;
  const existing = findInside(root, path);
  if (existing === undefined || (forDirectory && existing.stats.isDirectory())) return;
  rmSync(existing.path, { recursive: true, force: true });
}

/** A folder that the layer does not mention may be a file below; a link to a folder may stay. */
function makeRoomForParents(root: string, path: string): void {
  for (let parent = dirname(path); parent !== '.'; parent = dirname(parent)) {
    const existing = findInside(root, parent);
    if (existing?.stats.isFile()) rmSync(existing.path);
  }
}

function remove(root: string, path: string): false {
  const existing = findInside(root, path);
  if (existing !== undefined) rmSync(existing.path, { recursive: true, force: true });
  return false;
}

function clear(root: string, directory: string, written: ReadonlySet<string>): false {
  const existing = directory === '.' ? { path: root } : findInside(root, directory);
  if (existing === undefined) return false;
  for (const name of readdirSync(existing.path)) {
    // An opaque folder hides what is below this layer, not what the layer itself brought before.
    if (!written.has(join(directory, name))) rmSync(join(existing.path, name), { recursive: true, force: true });
  }
  return false;
}

/** An existing file or folder that really is inside the root; links on the way are followed, the last part is not. */
function findInside(root: string, path: string): { readonly path: string; readonly stats: Stats } | undefined {
  try {
    const parent = realpathSync(dirname(join(root, path)));
    if (parent !== root && !parent.startsWith(root + sep)) return undefined;
    const found = join(parent, basename(path));
    if (found === root || !found.startsWith(root + sep)) return undefined;
    return { path: found, stats: lstatSync(found) };
  } catch {
    return undefined;
  }
}
