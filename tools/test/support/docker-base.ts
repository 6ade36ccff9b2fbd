import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { writeBaseImage } from '../../src/base-image.ts';

const run = promisify(execFile);

/** An image that the Docker engine has until this is disposed. */
export interface DockerBase extends AsyncDisposable {
  readonly reference: string;
}

/** Gives the Docker engine the base image that a Dockerfile can start FROM, under a name that no other test takes away. */
export async function loadBaseImageIntoDocker(): Promise<DockerBase> {
  const reference = `systemprompt-base:test-${randomBytes(4).toString('hex')}`;
  const directory = await mkdtemp(join(tmpdir(), 'sp-base-'));
  const [layout, files, archive] = ['layout', 'files', 'files.tar'].map((name) => join(directory, name)) as [
    string,
    string,
    string,
  ];
  const blob = (digest: string): string => join(layout, 'blobs', ...digest.split(':'));
  try {
    await mkdir(files);
    const { digest } = await writeBaseImage(layout);
    const manifest = JSON.parse(await readFile(blob(digest), 'utf8')) as { layers: { digest: string }[] };
    for (const layer of manifest.layers) await run('tar', ['-xf', blob(layer.digest), '-C', files]);
    await run('tar', ['-cf', archive, '-C', files, '.']);
    await run('docker', ['import', '--change', 'ENV PATH=/usr/local/bin:/usr/bin:/bin', archive, reference]);
    return {
      reference,
      [Symbol.asyncDispose]: async () => {
        await run('docker', ['rmi', '-f', reference]).catch(() => {});
      },
    };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
