import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type LocalCloud, removeLocalCloud, startLocalCloud } from '@sp/management-api';

/** A project next to a whole cloud on this computer. */
export interface LocalProject extends AsyncDisposable {
  readonly cloud: LocalCloud;
  readonly cwd: string;
  /** For the program: the local cloud, and a browser that fills in the sandbox pages. */
  readonly env: Readonly<Record<string, string>>;
  /** What the tenant runs is healthy at once, or not before {@link LocalProject.wake}. */
  writeServer(kind: 'good' | 'slow'): Promise<void>;
  wake(): Promise<void>;
  /** Undoes {@link LocalProject.wake} for machines that start from now on. */
  sleep(): Promise<void>;
}

// A browser that nobody sits in front of; built with the other tools.
const sandboxBrowser = fileURLToPath(new URL('../../../../tools/dist/sandbox-browser.js', import.meta.url));

const serverText = (marker: string): string => `#!/usr/bin/env node
const { existsSync } = require('node:fs');
const listen = () => require('node:http').createServer((request, response) => response.end('{"status":"ok"}')).listen(process.env.PORT, process.env.HOST, () => console.log('listening', process.env.LOG_LEVEL));
const timer = setInterval(() => {
  if (!existsSync(${JSON.stringify(marker)})) return;
  clearInterval(timer);
  listen();
}, 50);
`;

/** Starts the cloud and makes the project's files. */
export async function startLocalProject(options: { readonly providerDelayMs?: number } = {}): Promise<LocalProject> {
  if (!existsSync(sandboxBrowser)) throw new Error('tools is not built: pnpm run build');
  const place = await mkdtemp(join(await realpath(tmpdir()), 'sp journey-'));
  const dataDir = join(place, 'local cloud');
  const cwd = join(place, 'My Shop');
  for (const folder of ['storage/files', 'services/web/templates', 'services/config', 'web/dist', 'target/release']) {
    await mkdir(join(cwd, folder), { recursive: true });
  }
  await writeFile(join(cwd, 'services/config/config.yaml'), 'settings: {}\n');
  const writeServer: LocalProject['writeServer'] = (kind) =>
    writeFile(join(cwd, 'target/release/systemprompt'), serverText(join(place, kind)), { mode: 0o755 });
  const wake = (): Promise<void> => writeFile(join(place, 'slow'), '');
  const sleep = (): Promise<void> => rm(join(place, 'slow'), { force: true });
  await writeFile(join(place, 'good'), '');
  await writeServer('good');
  const browser = join(place, 'browser');
  await writeFile(browser, `#!/bin/sh\nexec "${process.execPath}" "${sandboxBrowser}" "$@"\n`, { mode: 0o755 });
  const cloud = await startLocalCloud({ dataDir, port: 0, machines: 'process', ...options });
  return {
    cloud,
    cwd,
    env: { BROWSER: browser, SYSTEMPROMPT_LOCAL_DATA_DIR: dataDir, SYSTEMPROMPT_BASE: 'scratch' },
    writeServer,
    wake,
    sleep,
    [Symbol.asyncDispose]: async () => {
      await cloud.stop();
      await removeLocalCloud({ dataDir });
      await rm(place, { recursive: true, force: true });
    },
  };
}
