import { spawn } from 'node:child_process';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { cacheDirectory } from '../local-cloud/data-directory.ts';
import { makeFolders } from '../local-cloud/make-folders.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** What is known of newer versions, and when that was looked up and told; times in ms. */
export interface UpdateCache {
  readonly checkedAt?: number | undefined;
  readonly notifiedAt?: number | undefined;
  readonly latest?: string | undefined;
}

const day = 86_400_000;

/** Whether to tell of a newer version, and whether to look for one; each at most once a day. */
export function decideUpdate(
  { checkedAt = 0, notifiedAt = 0, latest }: UpdateCache,
  { current, now }: { current: string; now: number },
): { readonly tell: string | undefined; readonly look: boolean } {
  const due = (at: number): boolean => now - at >= day || at > now;
  const tell = latest !== undefined && due(notifiedAt) && isNewer(latest, current) ? latest : undefined;
  return { tell, look: due(checkedAt) };
}

/** Whether `a` is a later release than `b`; anything but plain numbers is not. */
export function isNewer(a: string, b: string): boolean {
  const [left, right] = [a, b].map((version) => /^(\d+)\.(\d+)\.(\d+)$/.exec(version)?.slice(1).map(Number));
  if (left === undefined || right === undefined) return false;
  const at = left.findIndex((number, index) => number !== right[index]);
  return at !== -1 && (left[at] ?? 0) > (right[at] ?? 0);
}

/**
 * Tells of a newer version that was found before, and looks for one in the background: nobody waits for a registry, and
 * nothing but the package's name is sent. Never throws.
 */
export function tellOfUpdate(options: {
  readonly env: Environment;
  readonly current: string;
  /** Folder of this package. */
  readonly root: string;
  readonly write: (text: string) => void;
}): void {
  const { env, current, root, write } = options;
  const path = join(cacheDirectory(env), 'update.json');
  try {
    const cache = readCache(path);
    const now = Date.now();
    const { tell, look } = decideUpdate(cache, { current, now });
    if (tell === undefined && !look) return;
    if (tell !== undefined) write(`@sp/cli ${tell} is out (this is ${current}): npm install --global @sp/cli\n`);
    // Before the answer is there: a registry that is down is not asked by every command.
    const next = { ...cache, ...(look ? { checkedAt: now } : {}), ...(tell === undefined ? {} : { notifiedAt: now }) };
    writeCache(path, next);
    if (look) startCheck({ path, root, env });
  } catch {
    // Whatever is wrong with the cache, it is not what the person wanted to hear about.
  }
}

function startCheck({ path, root, env }: { path: string; root: string; env: Environment }): void {
  const script = join(root, 'bin', 'check-update.cjs');
  spawn(process.execPath, [script, path], { detached: true, stdio: 'ignore', env, windowsHide: true })
    .once('error', () => undefined)
    .unref();
}

function readCache(path: string): UpdateCache {
  try {
    const { checkedAt, notifiedAt, latest } = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
    return {
      checkedAt: typeof checkedAt === 'number' ? checkedAt : undefined,
      notifiedAt: typeof notifiedAt === 'number' ? notifiedAt : undefined,
      latest: typeof latest === 'string' ? latest : undefined,
    };
  } catch {
    return {};
  }
}

function writeCache(path: string, cache: UpdateCache): void {
  makeFolders(dirname(path));
  const draft = `${path}.${process.pid}.tmp`;
  writeFileSync(draft, JSON.stringify(cache));
  renameSync(draft, path);
}
