import { chmod, mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A folder that is gone after the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'sp deploy ')));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Writes files below a folder. */
export async function writeFiles(root: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
}

export const plantedSecret = 'planted-secret-value';

/** A small project that has one of everything, and secrets in the places where projects keep them. */
export async function fixtureProject(): Promise<string> {
  const root = await temporaryFolder();
  await writeFiles(root, {
    'target/release/systemprompt': '#!/bin/sh\necho hello\n',
    'target/release/notes-mcp': '#!/bin/sh\n',
    'target/release/debug-mcp': '#!/bin/sh\n',
    'target/release/build/object.o': 'object',
    'storage/files/css/site.css': 'body {}',
    'web/dist/index.html': '<h1>hello</h1>',
    'extensions/blog/manifest.yaml': 'extension:\n  type: blog\n  name: blog\n',
    'extensions/blog/posts/first.md': '# First',
    'extensions/mcp/notes/manifest.yaml': 'extension:\n  type: mcp\n  name: notes\n  binary: notes-mcp\n',
    'extensions/mcp/debug/manifest.yaml': 'extension:\n  type: mcp\n  name: debug\n  binary: debug-mcp\n',
    'extensions/unfinished/readme.txt': 'no manifest: no extension',
    'services/config/config.yaml': 'mcp_servers:\n  debug:\n    binary: debug-mcp\n    dev_only: true\n',
    'services/web/templates/page.html': '<html></html>',
    'services/hooks/run.sh': '#!/bin/sh\n',
    'services/.env': `KEY=${plantedSecret}`,
    '.systemprompt/credentials.json': plantedSecret,
    '.systemprompt/tenants.json': plantedSecret,
    '.systemprompt/profiles/production/profile.yaml': 'name: production\nsecrets:\n  secrets_path: ./secrets.json\n',
    '.systemprompt/profiles/production/secrets.json': plantedSecret,
    '.systemprompt/profiles/production/secrets.json.2413': plantedSecret,
    '.systemprompt/profiles/production/.gitignore': '*\n',
    '.systemprompt/profiles/staging/profile.yaml': 'name: staging\nsecrets:\n  secrets_path: ../keys/staging.json\n',
    '.systemprompt/profiles/staging/docker/Dockerfile': 'FROM scratch\n',
    '.systemprompt/profiles/keys/staging.json': plantedSecret,
  });
  await chmod(join(root, 'services/hooks/run.sh'), 0o700);
  await chmod(join(root, 'services/config/config.yaml'), 0o600);
  return root;
}
