import * as z from 'zod/mini';

/** What is read of Fly.io's answers; everything else in them is dropped. */
export const anything = z.unknown();

export const appSchema = z.object({ name: z.string(), network: z.nullish(z.string()) });

export const appsSchema = z.object({ apps: z.nullish(z.array(appSchema)) });

export const volumeSchema = z.object({
  id: z.string(),
  name: z.string(),
  region: z.string(),
  size_gb: z.number(),
  attached_machine_id: z.nullish(z.string()),
  created_at: z.nullish(z.string()),
});
export type FlyVolume = z.infer<typeof volumeSchema>;
export const extendedSchema = z.object({ needs_restart: z.nullish(z.boolean()), volume: z.nullish(volumeSchema) });

export const addressSchema = z.object({
  ip: z.string(),
  shared: z.nullish(z.boolean()),
  egress: z.nullish(z.boolean()),
  created_at: z.nullish(z.string()),
});
export type FlyAddress = z.infer<typeof addressSchema>;
export const addressesSchema = z.object({ ips: z.nullish(z.array(addressSchema)) });

export const secretsSchema = z.object({
  secrets: z.nullish(z.array(z.object({ name: z.string() }))),
  version: z.nullish(z.number()),
});

export const leaseSchema = z.object({ data: z.object({ nonce: z.string() }) });

const exitSchema = z.object({ exit_event: z.nullish(z.object({ exit_code: z.nullish(z.number()) })) });
const eventSchema = z.object({ type: z.nullish(z.string()), request: z.nullish(z.unknown()) });

export const machineSchema = z.object({
  id: z.string(),
  state: z.string(),
  region: z.nullish(z.string()),
  instance_id: z.nullish(z.string()),
  private_ip: z.nullish(z.string()),
  nonce: z.nullish(z.string()),
  config: z.nullish(
    z.object({
      metadata: z.nullish(z.record(z.string(), z.string())),
      mounts: z.nullish(z.array(z.object({ volume: z.nullish(z.string()) }))),
    }),
  ),
  events: z.nullish(z.array(eventSchema)),
  checks: z.nullish(z.array(z.object({ status: z.nullish(z.string()) }))),
});
export type FlyMachine = z.infer<typeof machineSchema>;

/** With which code a machine ended last; the newest event is the first. */
export function exitCodeOf({ events }: FlyMachine): number | undefined {
  const exit = events?.find(({ type }) => type === 'exit');
  const parsed = exitSchema.safeParse(exit?.request);
  return parsed.success ? (parsed.data.exit_event?.exit_code ?? undefined) : undefined;
}

const records = z.nullish(z.array(z.string()));
const target = z.nullish(z.object({ name: z.nullish(z.string()), target: z.nullish(z.string()) }));
export const certificateSchema = z.object({
  status: z.nullish(z.string()),
  configured: z.nullish(z.boolean()),
  rate_limited_until: z.nullish(z.string()),
  dns_requirements: z.nullish(
    z.object({
      a: records,
      aaaa: records,
      cname: z.nullish(z.string()),
      acme_challenge: target,
      ownership: z.nullish(z.object({ name: z.nullish(z.string()), app_value: z.nullish(z.string()) })),
    }),
  ),
  validation_errors: z.nullish(z.array(z.object({ message: z.nullish(z.string()) }))),
});
export type FlyCertificate = z.infer<typeof certificateSchema>;

export const logsSchema = z.object({
  data: z.nullish(
    z.array(
      z.object({
        attributes: z.object({ timestamp: z.string(), message: z.nullish(z.string()), level: z.nullish(z.string()) }),
      }),
    ),
  ),
  meta: z.nullish(z.object({ next_token: z.nullish(z.string()) })),
});
