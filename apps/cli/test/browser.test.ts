import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { browserCommand, openBrowser } from '../src/browser.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

const url = 'http://127.0.0.1:1/login?a=1&b=$(touch x)';

test('BROWSER is one program when it is a file, else words', async () => {
  const file = join(await temporaryFolder(), 'my browser');
  await writeFile(file, '');
  expect(browserCommand(file, url)).toEqual({ program: file, args: [url] });
  expect(browserCommand('firefox --new-window', url)).toEqual({ program: 'firefox', args: ['--new-window', url] });
  expect(browserCommand('w3m -o url=%s -q', url)).toEqual({ program: 'w3m', args: ['-o', `url=${url}`, '-q'] });
});

test('the program gets the URL as one argument, untouched by a shell', async () => {
  const folder = await temporaryFolder();
  const program = join(folder, 'my browser');
  await writeFile(program, `#!/bin/sh\nprintf '%s|%s' "$#" "$1" > "$OUT.tmp" && mv "$OUT.tmp" "$OUT"\n`);
  await chmod(program, 0o755);
  const out = join(folder, 'out');
  await openBrowser(url, { ...process.env, BROWSER: program, OUT: out });
  await vi.waitFor(async () => expect(await readFile(out, 'utf8')).toBe(`1|${url}`), { timeout: 90_000 });
});

test('a program that is not there is an error, not a crash', async () => {
  await expect(openBrowser(url, { BROWSER: '/nowhere/browser' })).rejects.toMatchObject({ code: 'ENOENT' });
});
