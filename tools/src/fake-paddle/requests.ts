import * as z from 'zod';
import { Refusal } from './answers.ts';

const customData = z.record(z.string(), z.unknown()).refine((value) => Object.keys(value).length > 0, {
  message: 'must be a non-empty object',
});

/** `POST /transactions`: what a server may send that has no customer yet. Anything else is refused. */
export const transactionBody = z.strictObject({
  items: z
    .array(z.strictObject({ price_id: z.string().startsWith('pri_'), quantity: z.int().min(1).max(100) }))
    .min(1)
    .max(100),
  customer_id: z.string().startsWith('ctm_').nullish(),
  custom_data: customData.nullish(),
  currency_code: z.literal('USD').optional(),
  collection_mode: z.enum(['automatic', 'manual']).optional(),
  discount_id: z.string().startsWith('dsc_').nullish(),
  checkout: z.strictObject({ url: z.url().nullish() }).nullish(),
});

/** `PATCH /subscriptions/{id}`: only to drop what is scheduled. */
export const subscriptionPatch = z.strictObject({ scheduled_change: z.null() });

/** `POST /subscriptions/{id}/cancel`. */
export const cancelBody = z.strictObject({
  effective_from: z.enum(['next_billing_period', 'immediately']).nullish(),
});

/** `POST /customers/{id}/portal-sessions`. */
export const portalBody = z.strictObject({
  subscription_ids: z.array(z.string().startsWith('sub_')).min(1).max(25).optional(),
});

const flag = z.enum(['true', 'false']);

/** `GET /prices`. Lists are separated by commas. */
export const priceQuery = z.strictObject({
  after: z.string().startsWith('pri_').optional(),
  id: z.string().optional(),
  include: z.literal('product').optional(),
  order_by: z.string().optional(),
  per_page: z.coerce.number().int().min(1).max(200).optional(),
  product_id: z.string().optional(),
  recurring: flag.optional(),
  status: z.enum(['active', 'archived', 'active,archived']).optional(),
  type: z.enum(['standard', 'custom']).optional(),
});

/** The JSON body of a request, held against its schema. */
export async function readBody<T>(request: Request, schema: z.ZodType<T>): Promise<T> {
  if (!(request.headers.get('content-type') ?? '').startsWith('application/json')) {
    throw new Refusal(415, 'unsupported_media_type', { detail: 'The content type is not application/json.' });
  }
  const text = await request.text();
  let body: unknown;
  try {
    body = text === '' ? {} : JSON.parse(text);
  } catch {
    throw new Refusal(400, 'invalid_json', { detail: 'The body is not JSON.' });
  }
  return check(body, schema);
}

/** The query of a request, held against its schema. */
export function readQuery<T>(request: Request, schema: z.ZodType<T>): T {
  return check(Object.fromEntries(new URL(request.url).searchParams), schema);
}

function check<T>(value: unknown, schema: z.ZodType<T>): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const fields = parsed.error.issues.map(({ path, message }) => ({ field: path.join('.'), message }));
  throw new Refusal(400, 'bad_request', { detail: 'Invalid request.', fields });
}
