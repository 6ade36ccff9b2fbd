import type { Digest } from './digest.ts';
import { OciError } from './error.ts';
import type { TarRecord } from './tar-read.ts';
import { createTarScanner } from './tar-scan.ts';

/**
 * Passes a layer's tar stream on, a piece only after every header that begins in it was looked at: what reads the stream
 * never sees an entry that would be written outside of the folder that the layer is unpacked to.
 *
 * @throws {@link OciError} `SP_OCI_PATH`, `SP_OCI_DOCUMENT` (not a complete tar archive)
 */
export async function* containedOnly(tar: AsyncIterable<Uint8Array>, digest: Digest): AsyncGenerator<Uint8Array> {
  const scanner = createTarScanner(`layer ${digest}`, (record) => check(record, digest));
  for await (const piece of tar) {
    scanner.push(piece);
    yield piece;
  }
  scanner.end();
}

function check({ typeflag, path, target }: TarRecord, digest: Digest): void {
  if (/^[346]$/.test(typeflag)) throw refused(path, 'it is a device or a pipe', digest);
  if (path.startsWith('/')) throw refused(path, 'it is absolute', digest);
  if (leaves(path, '')) throw refused(path, 'it leaves the root', digest);
  // A hard link names its target from the root, a symbolic one from where it is.
  const from = typeflag === '2' ? path.replace(/\/+$/, '').split('/').slice(0, -1).join('/') : '';
  if (typeflag !== '1' && typeflag !== '2') return;
  if (target.startsWith('/') || leaves(target, from)) throw refused(path, 'its target is outside of the root', digest);
}

/** Whether a path, read from a folder, is above the root at any moment. */
function leaves(path: string, from: string): boolean {
  let depth = 0;
  for (const segment of [...from.split('/'), ...path.split('/')]) {
    if (segment === '..') depth -= 1;
    else if (segment !== '' && segment !== '.') depth += 1;
    if (depth < 0) return true;
  }
  return false;
}

function refused(path: string, why: string, digest: Digest): OciError {
  return new OciError('SP_OCI_PATH', `Cannot unpack ${JSON.stringify(path)}: ${why}`, { path, digest });
}
