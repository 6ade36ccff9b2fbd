/** Where a tenant stands in its life. */
export type TenantState =
  | 'pending_payment'
  | 'provisioning'
  | 'awaiting_deploy'
  | 'deploying'
  | 'running'
  | 'rotating'
  | 'suspended'
  | 'deleting'
  | 'deleted'
  | 'provision_failed';

/** What can happen to a tenant. */
export type TenantTrigger =
  | 'paid'
  | 'provisioned'
  | 'provisioning_failed'
  | 'provisioning_retried'
  | 'deploy_started'
  | 'deploy_succeeded'
  /** The deploy failed and the release before it goes on. */
  | 'deploy_rolled_back'
  /** The first deploy failed: nothing runs. */
  | 'deploy_abandoned'
  | 'rotation_started'
  | 'restarted'
  | 'suspended'
  | 'resumption_started'
  /** What ran before the suspension runs again. */
  | 'resumed'
  /** Nothing ran before the suspension. */
  | 'resumed_without_release'
  | 'deletion_started'
  | 'deletion_finished';

const transitions: Readonly<Record<TenantState, Readonly<Partial<Record<TenantTrigger, TenantState>>>>> = {
  pending_payment: { paid: 'provisioning', deletion_started: 'deleting' },
  provisioning: { provisioned: 'awaiting_deploy', provisioning_failed: 'provision_failed' },
  provision_failed: { provisioning_retried: 'provisioning', deletion_started: 'deleting' },
  awaiting_deploy: {
    deploy_started: 'deploying',
    // Nothing runs that would have to be replaced.
    rotation_started: 'awaiting_deploy',
    suspended: 'suspended',
    deletion_started: 'deleting',
  },
  deploying: { deploy_succeeded: 'running', deploy_rolled_back: 'running', deploy_abandoned: 'awaiting_deploy' },
  running: {
    deploy_started: 'deploying',
    restarted: 'running',
    rotation_started: 'rotating',
    suspended: 'suspended',
    deletion_started: 'deleting',
  },
  // A rotation brings its change to the machine by a release of the same image.
  rotating: { deploy_succeeded: 'running', deploy_rolled_back: 'running' },
  suspended: {
    // A suspension that did not stop everything is begun again.
    suspended: 'suspended',
    // Its machine is not there yet: that the tenant runs is said when it does.
    resumption_started: 'suspended',
    resumed: 'running',
    resumed_without_release: 'awaiting_deploy',
    deletion_started: 'deleting',
  },
  // A deletion that failed half-way is begun again.
  deleting: { deletion_started: 'deleting', deletion_finished: 'deleted' },
  deleted: {},
};

/** The trigger does not fit the tenant's state. */
export class TenantStateConflict extends Error {
  override readonly name = 'TenantStateConflict';
  readonly state: string;
  readonly trigger: TenantTrigger;

  constructor(state: string, trigger: TenantTrigger) {
    super(`A tenant that is ${state} cannot take ${trigger}`);
    this.state = state;
    this.trigger = trigger;
  }
}

/** The state after a trigger. @throws {TenantStateConflict} when the trigger does not fit the state */
export function nextState(state: string, trigger: TenantTrigger): TenantState {
  const next = Object.hasOwn(transitions, state) ? transitions[state as TenantState][trigger] : undefined;
  if (next === undefined) throw new TenantStateConflict(state, trigger);
  return next;
}

/** Whether a deploy may start. */
export function canDeploy(state: string): boolean {
  return state === 'awaiting_deploy' || state === 'running';
}
