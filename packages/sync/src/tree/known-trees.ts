import { mkdir, readdir, readFile, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import type { FileFacts, Manifest } from '../file-facts.ts';
import { isMissing, storageError } from '../sync-error.ts';

/** A manifest as text: a line for each file. Paths have no line breaks. */
export function formatManifest(files: Manifest): string {
  let text = '';
  for (const [path, { hash, mode, size }] of files) text += `${hash} ${mode === 0o755 ? 'x' : '-'} ${size} ${path}\n`;
  return text;
}

/** The manifest in a text, or `undefined` when the text is damaged. */
export function parseManifest(text: string): Map<string, FileFacts> | undefined {
  const files = new Map<string, FileFacts>();
  for (let at = 0; at < text.length; ) {
    const end = text.indexOf('\n', at);
    const space = text.indexOf(' ', at + 67);
    if (end === -1 || space === -1 || space > end - 2 || text[at + 64] !== ' ' || text[at + 66] !== ' ')
      return undefined;
    const hash = text.slice(at, at + 64);
    const size = Number(text.slice(at + 67, space));
    files.set(text.slice(space + 1, end), { hash, size, mode: text[at + 65] === 'x' ? 0o755 : 0o644 });
    at = end + 1;
  }
  return files;
}

/** The trees that were told to somebody, so that the next time only the differences have to be told. */
export interface KnownTrees {
  get(hash: string): Promise<Map<string, FileFacts> | undefined>;
  add(hash: string, files: Manifest): Promise<void>;
  /** All of them, the newest first; what is damaged is left out. */
  all(): Promise<readonly Manifest[]>;
}

const treeName = /^[0-9a-f]{64}$/;

export function createKnownTrees(directory: string, { kept = 8 }: { readonly kept?: number } = {}): KnownTrees {
  const pathOf = (hash: string): string => join(directory, hash);
  const newestFirst = async (): Promise<readonly string[]> => {
    const names = (await readdir(directory)).filter((name) => treeName.test(name));
    const aged = await Promise.all(
      names.map(async (name) => ({ name, at: (await stat(pathOf(name)).catch(() => undefined))?.mtimeMs ?? 0 })),
    );
    return aged.sort((a, b) => b.at - a.at).map(({ name }) => name);
  };
  return {
    async get(hash) {
      try {
        return parseManifest(await readFile(pathOf(hash), 'utf8'));
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw storageError(pathOf(hash), error);
      }
    },
    async add(hash, files) {
      const path = pathOf(hash);
      const now = new Date();
      const isThere = await utimes(path, now, now).then(
        () => true,
        () => false,
      );
      if (isThere) return;
      try {
        await mkdir(directory, { recursive: true, mode: 0o700 });
        await writeFileAtomic(path, formatManifest(files), { fsync: false });
        for (const name of (await newestFirst()).slice(kept)) await rm(pathOf(name), { force: true });
      } catch (error) {
        throw storageError(path, error);
      }
    },
    async all() {
      try {
        const texts = (await newestFirst()).map(async (name) => parseManifest(await readFile(pathOf(name), 'utf8')));
        return (await Promise.all(texts)).filter((files) => files !== undefined);
      } catch (error) {
        if (isMissing(error)) return [];
        throw storageError(directory, error);
      }
    },
  };
}
