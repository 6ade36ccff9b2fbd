import { execFileSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { buildImage, buildLayer, createBlobStore, digestOf, findInImage, type LayerEntry } from '../src/index.ts';
import { codeOf, temporaryFolder } from './setup.ts';

test('what layers above have taken away is not found', async () => {
  await using folder = await temporaryFolder();
  const blobs = createBlobStore(join(folder.path, 'store'));
  const bytes = (path: string): LayerEntry => ({ type: 'bytes', path, content: Buffer.from('x') });
  const long = `opt/${'long/'.repeat(60)}sh`;
  const lower = await buildLayer(
    [
      bytes('bin/sh'),
      bytes('bin/curl'),
      bytes('opt/tools/curl'),
      bytes('srv/a/curl'),
      bytes('srv/kept/curl'),
      bytes(long),
    ],
    { blobs },
  );
  // Made by tar, because the writer refuses whiteouts; with `./` before every name.
  const root = join(folder.path, 'root');
  for (const path of ['bin', 'opt', 'srv/a']) await mkdir(join(root, path), { recursive: true });
  for (const path of ['bin/.wh.curl', 'opt/.wh.tools', 'srv/a/.wh..wh..opq', 'srv/a/sh'])
    await writeFile(join(root, path), '');
  const tar = execFileSync('tar', ['-cf', '-', '-C', root, '.']);
  const { digest, size } = await blobs.write(tar);
  const descriptor = { mediaType: 'application/vnd.oci.image.layer.v1.tar', digest, size };
  const config = { architecture: 'amd64', os: 'linux' };
  const image = await buildImage({ layers: [lower, { descriptor, diffId: digestOf(tar) }], config, blobs });
  const find = (blobStore = blobs) =>
    findInImage(image, { blobs: blobStore, matches: (path) => /(?:^|\/)(?:sh|curl)$/.test(path) });
  expect(await find()).toEqual(['bin/sh', long, 'srv/a/sh', 'srv/kept/curl']);
  expect(await codeOf(find(createBlobStore(join(folder.path, 'empty'))))).toBe('SP_OCI_BLOB_UNKNOWN');
});
