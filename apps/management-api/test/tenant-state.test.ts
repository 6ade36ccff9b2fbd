import { expect, test } from 'vitest';
import { canDeploy, nextState, TenantStateConflict } from '../src/tenants/state.ts';

test.each([
  ['pending_payment', 'paid', 'provisioning'],
  ['provisioning', 'provisioned', 'awaiting_deploy'],
  ['provisioning', 'provisioning_failed', 'provision_failed'],
  ['provision_failed', 'provisioning_retried', 'provisioning'],
  ['awaiting_deploy', 'deploy_started', 'deploying'],
  ['deploying', 'deploy_succeeded', 'running'],
  ['deploying', 'deploy_rolled_back', 'running'],
  ['deploying', 'deploy_abandoned', 'awaiting_deploy'],
  ['running', 'deploy_started', 'deploying'],
  ['running', 'suspended', 'suspended'],
  ['suspended', 'resumption_started', 'suspended'],
  ['suspended', 'resumed', 'running'],
  ['suspended', 'resumed_without_release', 'awaiting_deploy'],
  ['suspended', 'suspended', 'suspended'],
  ['running', 'rotation_started', 'rotating'],
  ['rotating', 'deploy_succeeded', 'running'],
  ['rotating', 'deploy_rolled_back', 'running'],
  ['running', 'restarted', 'running'],
  ['awaiting_deploy', 'rotation_started', 'awaiting_deploy'],
  ['awaiting_deploy', 'suspended', 'suspended'],
  ['deleting', 'deletion_started', 'deleting'],
  ['running', 'deletion_started', 'deleting'],
  ['deleting', 'deletion_finished', 'deleted'],
] as const)('%s, %s: %s', (state, trigger, next) => {
  expect(nextState(state, trigger)).toBe(next);
});

test.each([
  ['provisioning', 'deploy_started'],
  ['deploying', 'deploy_started'],
  ['suspended', 'deploy_started'],
  ['awaiting_deploy', 'provisioned'],
  ['running', 'paid'],
  ['deleted', 'deletion_started'],
  ['constructor', 'paid'],
] as const)('%s takes no %s', (state, trigger) => {
  const error = (() => {
    try {
      return nextState(state, trigger);
    } catch (caught) {
      return caught;
    }
  })();
  expect(error).toBeInstanceOf(TenantStateConflict);
  expect(error).toMatchObject({ state, trigger });
});

test('only a tenant that waits or runs can be deployed to', () => {
  const states = ['pending_payment', 'provisioning', 'awaiting_deploy', 'deploying', 'running', 'suspended', 'deleted'];
  expect(states.filter(canDeploy)).toEqual(['awaiting_deploy', 'running']);
});
