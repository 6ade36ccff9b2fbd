import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';

const root = new URL('../../', import.meta.url);
const notices = (path: string): Promise<string> => readFile(new URL(path, root), 'utf8');

test('what goes along in a package goes with its license', async () => {
  const cli = await notices('apps/cli/dist/THIRD-PARTY-NOTICES.txt');
  for (const name of ['@oclif/core', 'execa', 'openid-client', 'yaml', 'zod']) {
    expect(cli).toMatch(new RegExp(`^${name} \\d+\\.\\d+\\.\\d+ \\((MIT|ISC)\\)\\n\\n.*(copyright|license)`, 'ims'));
  }
  expect(cli.match(/Permission is hereby granted|Permission to use, copy, modify/g)?.length).toBeGreaterThan(40);
  expect(await notices('packages/sync/dist/THIRD-PARTY-NOTICES.txt')).toContain('Colin McDonnell');
});
