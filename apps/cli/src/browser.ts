import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';

/** The command line that opens `url` with the program that `BROWSER` names. */
export function browserCommand(browser: string, url: string): { program: string; args: readonly string[] } {
  // A path may contain spaces; only what is not a file is taken for a command line.
  const [program = browser, ...words] = existsSync(browser)
    ? [browser]
    : browser.split(' ').filter((word) => word !== '');
  const args = words.map((word) => word.replaceAll('%s', url));
  return { program, args: words.some((word) => word.includes('%s')) ? args : [...args, url] };
}

/** Opens `url` in the person's browser: the one of `BROWSER` if set, else the system's. Never waits for it to close. */
export async function openBrowser(url: string, env: Readonly<Record<string, string | undefined>>): Promise<void> {
  const browser = env['BROWSER']?.trim();
  if (browser === undefined || browser === '') {
    const { default: open } = await import('open');
    const child = await open(url);
    // Without a listener, a missing opener would end the process with an unhandled error.
    child.on('error', () => undefined);
    return;
  }
  const { program, args } = browserCommand(browser, url);
  await new Promise<void>((resolve, reject) => {
    const child = spawn(program, args, { detached: true, stdio: 'ignore', env });
    child.once('error', reject);
    child.once('spawn', () => {
      child.unref();
      resolve();
    });
  });
}
