import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import Deploy from '../src/commands/cloud/deploy.ts';
import Doctor from '../src/commands/cloud/doctor.ts';
import Logs from '../src/commands/cloud/logs.ts';
import SecretsList from '../src/commands/cloud/secrets/list.ts';
import Status from '../src/commands/cloud/status.ts';
import TenantList from '../src/commands/cloud/tenant/list.ts';
import { runCommand } from './support/run-command.ts';
import { hello, makeProfile, makeWorld, second } from './support/world.ts';

/** A project whose tenant `hello` its account does not have: deleted from elsewhere, or somebody else logged in. */
async function foreignWorld(tenants: readonly object[]): ReturnType<typeof makeWorld> {
  const world = await makeWorld(
    { [`GET /api/v1/tenants/${second.id}/status`]: { data: { status: 'running' } } },
    tenants,
  );
  await makeProfile(world.cwd, 'hello');
  await mkdir(join(world.cwd, 'target/release'), { recursive: true });
  await writeFile(join(world.cwd, 'target/release/systemprompt'), '#!/bin/sh\n', { mode: 0o755 });
  const store = {
    tenants: [
      { id: hello.id, name: 'hello', tenant_type: 'cloud', internal_database_url: 'postgresql://u:x@db/hello' },
    ],
    synced_at: new Date(0).toISOString(),
  };
  await writeFile(join(world.cwd, '.systemprompt/tenants.json'), JSON.stringify(store), { mode: 0o600 });
  return { ...world, env: { ...world.env, SYSTEMPROMPT_USER_EMAIL: 'ada@example.com' } };
}

test.each([
  ['logs', Logs, []],
  ['secrets list', SecretsList, []],
  ['deploy', Deploy, ['--yes']],
  ['logs of another one', Logs, ['--tenant', 'hello'], [second]],
] as const)(
  '%s: the error names the tenant and the account',
  async (_, CommandType, argv, tenants: readonly object[] = []) => {
    const world = await foreignWorld(tenants);
    const { stdout, exitCode } = await runCommand(CommandType, [...argv, '--json'], world);
    const { error } = JSON.parse(stdout) as { error: { message: string } };
    expect(error).toMatchObject({ code: 'SP_CLI_TENANT_NOT_FOUND', tenant_id: hello.id });
    expect(error.message).toMatch(/^ada@example\.com has no tenant .*hello \(0b1c6f4e.* another account's$/);
    expect(exitCode).toBe(5);
  },
);

test('list, status and doctor tell which tenant is not of the account', async () => {
  const world = await foreignWorld([second]);
  const list = await runCommand(TenantList, [], world);
  expect(list.stdout).toMatch(/hello +cloud .*not of this account/);
  expect(list.stdout).not.toMatch(/second.*not of this account/);
  const listed = await runCommand(TenantList, ['--json'], world);
  const { tenants } = JSON.parse(listed.stdout) as { tenants: { name: string; foreign?: boolean }[] };
  expect(tenants.map(({ name, foreign }) => [name, foreign])).toEqual([
    ['hello', true],
    ['second', undefined],
  ]);
  const status = JSON.parse((await runCommand(Status, ['--json'], world)).stdout) as object;
  expect(status).toMatchObject({
    tenants: [
      { name: 'hello', status: 'foreign', message: 'not of this account' },
      { name: 'second', status: 'running' },
    ],
  });
  const doctor = await runCommand(Doctor, ['--json'], world);
  expect(doctor.exitCode).toBe(1);
  expect(JSON.parse(doctor.stdout)).toMatchObject({
    findings: expect.arrayContaining([
      expect.objectContaining({
        check: 'tenant',
        status: 'problem',
        message: expect.stringMatching(/profile hello is of the tenant 0b1c6f4e.* ada@example\.com does not have/),
      }),
      expect.objectContaining({ check: 'api', message: expect.stringMatching(/answers, 1 tenant$/) }),
    ]),
  });
});
