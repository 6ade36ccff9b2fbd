import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { temporaryFolder } from './support/temporary-folder.ts';

const bin = fileURLToPath(new URL('../bin/run.cjs', import.meta.url));

// The device that takes nothing, as a disk that is full.
test.skipIf(!existsSync('/dev/full'))('a result that cannot be written is no success', async () => {
  const cwd = await temporaryFolder();
  const commands = ['--version', 'cloud --help', 'commands --json', 'cloud explain SP_API_NETWORK', 'cloud fly --json'];
  for (const command of commands) {
    const full = openSync('/dev/full', 'w');
    try {
      const { status, stderr } = spawnSync(process.execPath, [bin, ...command.split(' ')], {
        cwd,
        env: { HOME: cwd, CI: 'true' },
        stdio: ['ignore', full, 'pipe'],
        encoding: 'utf8',
      });
      expect({ command, status, stderr }).toEqual({
        command,
        status: 1,
        stderr: expect.stringMatching(/^✗ Cannot write: ENOSPC\n( .*\n)? {2}SP_CLI_SYSTEM\n$/),
      });
    } finally {
      closeSync(full);
    }
  }
});
