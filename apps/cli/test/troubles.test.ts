import { expect, test } from 'vitest';
import Doctor from '../src/commands/cloud/doctor.ts';
import Explain from '../src/commands/cloud/explain.ts';
import { troubles } from '../src/troubles.ts';
import { Refusal } from './support/fake-api.ts';
import { runCommand } from './support/run-command.ts';
import { temporaryFolder } from './support/temporary-folder.ts';
import { hello, makeProfile, makeWorld, planted } from './support/world.ts';

const path = `/api/v1/tenants/${hello.id}`;
const release = {
  id: '7a0c1f52-2e55-4c0e-8a56-1d8d2b1c9e22',
  number: 4,
  status: 'failed',
  image: 'r/x:y',
  digest: `sha256:${'a'.repeat(64)}`,
  created_at: '2026-01-02T03:04:05Z',
  secrets_version: 1,
};
const line = (message: string): object => ({ time: '2026-01-02T03:04:05Z', stream: 'stderr', message });
const fine = {
  [`GET ${path}/registry-token`]: {
    data: { registry: 'r.example', repository: 'x', tag: 'y', username: 'u', token: planted },
  },
  [`GET ${path}/releases`]: { data: [{ ...release, status: 'running' }] },
  [`GET ${path}/logs`]: { data: [line('listening')] },
  [`GET ${path}/secrets`]: { keys: ['ANTHROPIC_API_KEY'] },
};
const domain = {
  domain: 'app.example.com',
  status: 'pending',
  verified: false,
  dns_target: 'hello.systemprompt.app',
  dns_instructions: { record_type: 'CNAME', host: 'app', value: 'hello.systemprompt.app', ttl: 300 },
  created_at: '2026-01-02T03:04:05Z',
};

interface Result {
  readonly findings: readonly { check: string; status: string; message: string; fix?: string }[];
}

async function examine(answers: Readonly<Record<string, unknown>>): Promise<Result['findings']> {
  const world = await makeWorld({ ...fine, ...answers });
  await makeProfile(world.cwd, 'hello');
  const { stdout } = await runCommand(Doctor, ['--json'], world);
  expect(stdout).not.toContain(planted);
  return (JSON.parse(stdout) as Result).findings;
}

test('nothing is found wrong with a tenant that is well', async () => {
  expect(await examine({})).toContainEqual(expect.objectContaining({ check: 'tenant', status: 'ok' }));
});

test.each([
  [
    'memory',
    { [`GET ${path}/releases`]: { data: [{ ...release, failure: 'The machine ended: out of memory' }] } },
    'systemprompt cloud tenant edit hello --memory 512',
  ],
  [
    'health',
    {
      [`GET ${path}/releases`]: { data: [{ ...release, failure: 'The machine exited with code 3' }] },
      // The last words of the machine that is gone, not of the one that goes on.
      [`GET ${path}/releases/${release.id}`]: { data: { ...release, log_lines: ['TypeError: x is not a function'] } },
    },
    'systemprompt cloud logs',
  ],
  [
    'database',
    { [`GET ${path}/logs`]: { data: [line('error: password authentication failed for user "sp_1"')] } },
    'systemprompt cloud tenant rotate-credentials hello',
  ],
  ['certificate', { [`GET ${path}/custom-domain`]: { data: domain } }, 'app 300 IN CNAME hello.systemprompt.app'],
  ['registry', { [`GET ${path}/registry-token`]: new Refusal(401, 'expired') }, 'systemprompt cloud auth login'],
  [
    'api-keys',
    { [`GET ${path}/secrets`]: { keys: ['LOG_LEVEL'] } },
    'systemprompt cloud secrets set ANTHROPIC_API_KEY',
  ],
] as const)('doctor finds the trouble with: %s', async (check, answers, fix) => {
  const findings = await examine(answers);
  const found = findings.find((finding) => finding.check === check);
  expect(found?.status, JSON.stringify(findings)).toMatch(/problem|warning/);
  expect(found?.fix).toContain(fix);
  if (check === 'health') expect(found?.message).toContain('TypeError: x is not a function');
});

test.each(troubles.map(({ trouble, remedy, codes }) => [trouble, remedy, codes] as const))(
  'explain tells, offline, of: %s',
  async (trouble, remedy, codes) => {
    const cwd = await temporaryFolder();
    expect(codes.length).toBeGreaterThan(0);
    for (const code of codes) {
      const { stdout, exitCode } = await runCommand(Explain, [code], { cwd });
      expect(exitCode).toBe(0);
      expect(stdout).toContain(`${trouble}\n  ${remedy}`);
    }
  },
);

test('there are six of them, and every command line in them exists', async () => {
  expect(troubles).toHaveLength(6);
  const cwd = await temporaryFolder();
  const { stdout } = await runCommand(Explain, ['--json'], { cwd });
  expect((JSON.parse(stdout) as { troubles: unknown[] }).troubles).toHaveLength(6);
});
