import * as z from 'zod/mini';
import { endpoint } from './endpoint.ts';
import { maybe } from './schema.ts';

/** What a customer can buy. */
export interface Plan {
  /** The plan's name for programs. */
  readonly id: string;
  /** The plan's name for people. */
  readonly name: string;
  /** The price to put into a checkout. */
  readonly paddlePriceId: string;
  /** Memory of the tenant's machine, in MiB. */
  readonly memoryMbDefault: number;
  /** Size of the tenant's volume, in GiB. */
  readonly volumeGb: number;
  /** How many tenants one customer may have of it; absent: any number. */
  readonly maxTenants?: number | undefined;
}

/** The plan of a tenant that exists. */
export interface PlanInfo {
  /** The plan's name for programs. */
  readonly id?: string | undefined;
  /** The plan's name for people. */
  readonly name: string;
  /** Memory of the tenant's machine, in MiB. */
  readonly memoryMb: number;
  /** Size of the tenant's volume, in GiB. */
  readonly volumeGb: number;
}

export const planInfoSchema: z.ZodMiniType<PlanInfo> = z.object({
  id: maybe(z.string()),
  name: z.string(),
  memoryMb: z.int(),
  volumeGb: z.int(),
});

const planSchema: z.ZodMiniType<Plan> = z.object({
  id: z.string(),
  name: z.string(),
  paddlePriceId: z.string(),
  memoryMbDefault: z._default(z.int(), 0),
  volumeGb: z._default(z.int(), 0),
  maxTenants: maybe(z.int()),
});

export const listPlans = endpoint({
  summary: 'What can be bought.',
  method: 'GET',
  path: '/api/v1/checkout/plans',
  auth: 'bearer',
  envelope: 'bare',
  idempotent: true,
  response: z.array(planSchema) as z.ZodMiniType<readonly Plan[]>,
});
