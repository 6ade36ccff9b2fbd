/** How something stands: what colour its badge has. */
export type Tone = 'good' | 'busy' | 'bad' | 'quiet';

const states: Readonly<Record<string, readonly [label: string, tone: Tone]>> = {
  pending_payment: ['Waiting for payment', 'quiet'],
  provisioning: ['Provisioning', 'busy'],
  awaiting_deploy: ['Ready for a deploy', 'quiet'],
  deploying: ['Deploying', 'busy'],
  running: ['Running', 'good'],
  rotating: ['Rotating credentials', 'busy'],
  suspended: ['Suspended', 'bad'],
  deleting: ['Deleting', 'busy'],
  deleted: ['Deleted', 'quiet'],
  provision_failed: ['Provisioning failed', 'bad'],
  failed: ['Failed', 'bad'],
  superseded: ['Superseded', 'quiet'],
  image_removed: ['Image removed', 'quiet'],
};

/** The label and tone of a tenant's or release's state; one that is not known is shown as it is called. */
export function describeState(state: string): { readonly label: string; readonly tone: Tone } {
  const [label, tone] = states[state] ?? [state.replaceAll('_', ' '), 'quiet'];
  return { label, tone };
}

/** The steps by which a tenant is made, in their order. */
export const provisioningSteps: readonly string[] = [
  'subscription_created',
  'tenant_created',
  'database_created',
  'secrets_stored',
  'vm_provisioning_started',
  'vm_provisioned',
  'secrets_configured',
  'infrastructure_ready',
];

const events: Readonly<Record<string, string>> = {
  subscription_created: 'Subscription paid',
  tenant_created: 'Tenant registered',
  database_created: 'Database created',
  secrets_stored: 'Secrets sealed',
  vm_provisioning_started: 'Machine requested',
  vm_provisioning_progress: 'Machine in progress',
  vm_provisioned: 'Machine app ready',
  secrets_configured: 'Secrets configured',
  infrastructure_ready: 'Ready for the first deploy',
  tenant_ready: 'Release is live',
  provisioning_failed: 'Provisioning failed',
  tenant_deleted: 'Tenant deleted',
};

/** What happened, in words. */
export function describeEvent(eventType: string): string {
  const words = events[eventType] ?? eventType.replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** `sha256:` and the first digits of a digest. */
export function shortDigest(digest: string): string {
  const [algorithm = '', hex = ''] = digest.split(':');
  return hex === '' ? digest : `${algorithm}:${hex.slice(0, 12)}`;
}
