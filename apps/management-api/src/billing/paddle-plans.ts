import type { Plan } from '@sp/cloud-api/contract';
import * as z from 'zod/mini';

/** A price of the catalog, as far as it is used. */
export interface PaddlePrice {
  readonly id: string;
  readonly name: string | null;
  readonly description: string;
  readonly customData: unknown;
  readonly product: { readonly name: string; readonly customData: unknown } | null;
}

/** What a price or its product says about the tenant that it buys; numbers may be written as text in Paddle's forms. */
const limitsSchema = z.object({
  plan: z.optional(z.string()),
  memory_mb: z.optional(z.coerce.number().check(z.int(), z.positive())),
  volume_gb: z.optional(z.coerce.number().check(z.int(), z.nonnegative())),
  max_tenants: z.optional(z.coerce.number().check(z.int(), z.positive())),
});

/**
 * The plan that a price stands for: `memory_mb`, `volume_gb`, `max_tenants` and `plan` of its custom data, and where it
 * has none of its product's. `undefined`: something else is sold under it.
 */
export function planOfPrice(price: PaddlePrice, product = price.product): Plan | undefined {
  const own = limitsSchema.safeParse(price.customData ?? {});
  const shared = limitsSchema.safeParse(product?.customData ?? {});
  if (!own.success || !shared.success) return undefined;
  const { plan, memory_mb: memoryMb, volume_gb: volumeGb, max_tenants: maxTenants } = { ...shared.data, ...own.data };
  if (memoryMb === undefined || volumeGb === undefined) return undefined;
  return {
    id: plan ?? price.id,
    name: price.name ?? product?.name ?? price.description,
    paddlePriceId: price.id,
    memoryMbDefault: memoryMb,
    volumeGb,
    ...(maxTenants === undefined ? {} : { maxTenants }),
  };
}
