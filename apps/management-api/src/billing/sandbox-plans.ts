import type { Plan } from '@sp/cloud-api/contract';

/** What the sandbox provider sells. */
export const sandboxPlans: readonly Plan[] = [
  { id: 'starter', name: 'Starter', paddlePriceId: 'pri_sandbox_starter', memoryMbDefault: 512, volumeGb: 1 },
  { id: 'pro', name: 'Pro', paddlePriceId: 'pri_sandbox_pro', memoryMbDefault: 1024, volumeGb: 10 },
];
