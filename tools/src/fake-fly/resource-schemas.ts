import * as z from 'zod';

/** Bodies of the requests about everything but machines; strict, like those. */
export const appRequest = z
  .strictObject({
    app_name: z.string().optional(),
    name: z.string().optional(),
    org_slug: z.string(),
    network: z.string().optional(),
    enable_subdomains: z.boolean().optional(),
  })
  .refine(({ app_name, name }) => (app_name ?? name) !== undefined, 'app_name is required');

export const volumeRequest = z
  .strictObject({
    name: z
      .string()
      .regex(/^[a-z0-9_]{1,30}$/)
      .optional(),
    region: z.string(),
    size_gb: z.number().int().min(1).max(500).optional(),
    encrypted: z.boolean().optional(),
    require_unique_zone: z.boolean().optional(),
    snapshot_retention: z.number().int().min(1).max(60).optional(),
    auto_backup_enabled: z.boolean().optional(),
    fstype: z.enum(['ext4', 'raw']).optional(),
    source_volume_id: z.string().optional(),
    compute: z
      .strictObject({
        cpu_kind: z.enum(['shared', 'performance']),
        cpus: z.number().int(),
        memory_mb: z.number().int(),
      })
      .optional(),
  })
  .refine(({ name, source_volume_id }) => name !== undefined || source_volume_id !== undefined, 'name is required');

export const extendRequest = z.strictObject({ size_gb: z.number().int().min(1).max(500) });

export const addressRequest = z.strictObject({
  type: z.enum(['v4', 'v6', 'shared_v4', 'private_v6']),
  region: z.string().optional(),
  org_slug: z.string().optional(),
  network: z.string().optional(),
  service_name: z.string().optional(),
});

export const acmeRequest = z.strictObject({
  hostname: z.string().regex(/^(?=.{1,253}$)(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,}$/),
});

export const secretsRequest = z.strictObject({
  values: z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), z.string().nullable()),
});

export const leaseRequest = z.strictObject({
  description: z.string().optional(),
  ttl: z.number().int().min(1).max(3600).optional(),
});

export const stopRequest = z.strictObject({ signal: z.string().optional(), timeout: z.string().optional() });

export const nothing = z.strictObject({});

const flag = z.enum(['true', 'false']);
export const waitQuery = z.strictObject({
  state: z.enum(['started', 'stopped', 'suspended', 'destroyed', 'settled']).optional(),
  timeout: z.coerce.number().int().min(1).max(60).optional(),
  instance_id: z.string().optional(),
});
export const forceQuery = z.strictObject({ force: flag.optional() });
export const listAppsQuery = z.strictObject({ org_slug: z.string() });
export const createAppQuery = z.strictObject({ wait: flag.optional() });
export const logsQuery = z.strictObject({
  next_token: z.string().optional(),
  instance: z.string().optional(),
  region: z.string().optional(),
});
