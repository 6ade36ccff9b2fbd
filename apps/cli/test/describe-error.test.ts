import { inspect } from 'node:util';
import { CloudApiError } from '@sp/cloud-api';
import { DeployError } from '@sp/deploy';
import { expect, test } from 'vitest';
import { CliError } from '../src/cli-error.ts';
import { describeError, renderError } from '../src/describe-error.ts';

const secret = 'sp_live_8f14e45fceea167a';

test('an error of a library gets advice, an exit code, and its public facts in snake_case', () => {
  const error = new CloudApiError({
    code: 'SP_API_UNAUTHORIZED',
    message: 'GET /api/v1/auth/me was answered 401',
    status: 401,
    requestId: 'req_1',
  });
  const described = describeError(error, { env: {} });
  expect(described.exitCode).toBe(4);
  expect(described.json).toEqual({
    error: {
      code: 'SP_API_UNAUTHORIZED',
      message: 'GET /api/v1/auth/me was answered 401',
      suggestions: ['Log in: systemprompt cloud auth login'],
      status: 401,
      request_id: 'req_1',
    },
  });
  expect(renderError(described)).toContain('request req_1');
});

test('fields that are not on the list never leave the program', () => {
  const error = Object.assign(new CliError('SP_CLI_NOT_LOGGED_IN', 'Nobody is logged in'), {
    token: secret,
    request: { headers: { authorization: `Bearer ${secret}` } },
  });
  const described = describeError(error, { env: { DEBUG: '1' } });
  expect(inspect(described, { depth: 9 }) + renderError(described)).not.toContain(secret);
});

test('a defect ends with 70, and tells its stack only under DEBUG', () => {
  const error = new TypeError('x is not a function');
  expect(describeError(error, { env: {} })).toMatchObject({ code: 'SP_CLI_BUG', exitCode: 70, stack: undefined });
  expect(describeError(error, { env: { DEBUG: '1' } }).stack).toContain('describe-error.test');
});

test('an aborted wait is an interrupt', () => {
  expect(describeError(new DOMException('aborted', 'AbortError'), { env: {} })).toMatchObject({ exitCode: 130 });
});

test('an error of the operating system is none of ours', () => {
  const error = Object.assign(new Error('EACCES'), { code: 'EACCES', syscall: 'mkdir', path: '/x' });
  expect(describeError(error, { env: {} })).toMatchObject({
    code: 'SP_CLI_SYSTEM',
    exitCode: 1,
    message: 'Cannot mkdir /x: EACCES',
    facts: { path: '/x', systemCode: 'EACCES' },
  });
});

test('missing input lists ready-to-run commands', () => {
  const next = ['systemprompt cloud tenant create --name hello'];
  const described = describeError(new CliError('SP_CLI_INPUT_NEEDED', 'x', { flags: ['--name'], next }), { env: {} });
  expect(described.exitCode).toBe(3);
  expect(described.json).toMatchObject({ error: { flags: ['--name'], next } });
});

test('a step that failed because the API refused is as the refusal is', () => {
  const cause = new CloudApiError({ code: 'SP_API_UNAUTHORIZED', message: 'no', status: 401, requestId: 'req_2' });
  const error = new DeployError('SP_DEPLOY_API_FAILED', 'Deploy failed at push', { step: 'push', cause });
  expect(describeError(error, { env: {} })).toMatchObject({
    code: 'SP_DEPLOY_API_FAILED',
    exitCode: 4,
    facts: { step: 'push', requestId: 'req_2', status: 401 },
  });
});

test('a release whose image is not kept any more is not waited for: exit code 5, and which one to choose', () => {
  const facts = { status: 409, serverCode: 'release_not_available' };
  const cause = new CloudApiError({ code: 'SP_API_CONFLICT', message: 'not kept any more', ...facts });
  const error = new DeployError('SP_DEPLOY_API_FAILED', 'Deploy failed at deploy', { step: 'deploy', cause });
  for (const each of [error, cause]) {
    expect(describeError(each, { env: {} })).toMatchObject({
      exitCode: 5,
      facts: { serverCode: 'release_not_available' },
      suggestions: [expect.stringContaining('image_removed: systemprompt cloud releases'), expect.any(String)],
    });
  }
});

test.each([
  ['provisioning', 8, 'cloud status'],
  ['pending_payment', 8, 'cloud status'],
  ['suspended', 6, 'cloud tenant billing'],
  ['provision_failed', 6, 'cloud tenant retry'],
  ['deleting', 6, 'cloud tenant list'],
  ['deleted', 6, 'cloud tenant list'],
])(
  'a deploy to a tenant that is %s ends with %i: only what goes on by itself is waited for',
  (status, exitCode, line) => {
    const error = new DeployError('SP_DEPLOY_TENANT_NOT_READY', 'no', { tenantId: 't_1', status });
    expect(describeError(error, { env: {} })).toMatchObject({ exitCode, suggestions: [expect.stringContaining(line)] });
  },
);

test('what a machine wrote last does not steer the terminal', () => {
  const error = Object.assign(new Error('down'), {
    code: 'SP_DEPLOY_UNHEALTHY',
    lastLines: ['\u001b[2Jgone', 'bell\u0007', 'tab\there'],
  });
  const text = renderError(describeError(error, { env: {} }));
  expect(text).toContain('gone');
  expect(text).toContain('bell\ufffd');
  expect(text).toContain('tab here');
  expect(text).not.toContain('\u001b[2J');
});

test('names, findings and command lines of others do not steer the terminal either', () => {
  const hostile = 'a\u001b[2J\u0007\nb';
  const error = Object.assign(new Error(`There is no tenant ${hostile}`), {
    code: 'SP_CLI_TENANT_NOT_FOUND',
    available: [hostile],
    findings: [{ path: hostile }],
    next: [`systemprompt cloud status --tenant '${hostile}'`],
    requestId: hostile,
  });
  const text = renderError(describeError(error, { env: {} }));
  expect(text).toContain('There is: a b');
  expect(text.match(/a b/g)).toHaveLength(4);
  for (const part of ['\u001b[2J', '\u0007']) expect(text).not.toContain(part);
});
