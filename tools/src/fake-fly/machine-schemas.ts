import * as z from 'zod';

/** What a machine may be asked for. Every object is strict: what is not known is refused, as a misspelled key would be. */
const duration = z.union([z.string().regex(/^\d+(ms|s|m|h)$/), z.number().int().positive()]);
const port = z.number().int().min(1).max(65_535);
const name = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/);

const serviceCheck = z.strictObject({
  type: z.enum(['http', 'tcp']),
  port: port.optional(),
  interval: duration,
  timeout: duration,
  grace_period: duration.optional(),
  method: z.string().optional(),
  path: z.string().startsWith('/').optional(),
  protocol: z.enum(['http', 'https']).optional(),
  headers: z.array(z.strictObject({ name: z.string(), values: z.array(z.string()) })).optional(),
});

const service = z.strictObject({
  protocol: z.enum(['tcp', 'udp']),
  internal_port: port,
  autostop: z.enum(['off', 'stop', 'suspend']).optional(),
  autostart: z.boolean().optional(),
  min_machines_running: z.number().int().nonnegative().optional(),
  force_instance_key: z.string().nullable().optional(),
  ports: z
    .array(
      z.strictObject({
        port: port.optional(),
        handlers: z.array(z.enum(['tls', 'http', 'proxy_proto', 'pg_tls', 'edge_http'])).optional(),
        force_https: z.boolean().optional(),
      }),
    )
    .optional(),
  concurrency: z
    .strictObject({
      type: z.enum(['requests', 'connections']),
      soft_limit: z.number().int().positive(),
      hard_limit: z.number().int().positive().optional(),
    })
    .optional(),
  checks: z.array(serviceCheck).optional(),
});

const guest = z
  .strictObject({
    cpu_kind: z.enum(['shared', 'performance']),
    cpus: z
      .number()
      .int()
      .refine((cpus) => [1, 2, 4, 8, 16].includes(cpus)),
    memory_mb: z.number().int().multipleOf(256),
  })
  .refine(({ cpu_kind, cpus, memory_mb }) => {
    const [least, most] = cpu_kind === 'shared' ? [256, 2048] : [2048, 8192];
    return memory_mb >= least * cpus && memory_mb <= most * cpus;
  }, 'memory is out of range for this number and kind of CPUs');

export const machineConfig = z.strictObject({
  image: z.string().regex(/^[a-z0-9.:-]+\/[a-z0-9._/-]+(@sha256:[0-9a-f]{64}|:[\w.-]+)$/),
  env: z.record(name, z.string()).optional(),
  guest: guest.optional(),
  init: z.strictObject({ cmd: z.array(z.string()).optional(), swap_size_mb: z.number().int().optional() }).optional(),
  mounts: z
    .array(z.strictObject({ volume: z.string().regex(/^vol_[a-z0-9]+$/), path: z.string().startsWith('/') }))
    .max(1)
    .optional(),
  services: z.array(service).optional(),
  checks: z.record(z.string(), serviceCheck).optional(),
  restart: z
    .strictObject({
      policy: z.enum(['no', 'on-failure', 'always']),
      max_retries: z.number().int().positive().optional(),
    })
    .optional(),
  auto_destroy: z.boolean().optional(),
  metadata: z.record(z.string(), z.string()).optional(),
  stop_config: z.strictObject({ signal: z.string().optional(), timeout: duration.optional() }).optional(),
});

export type MachineConfig = z.infer<typeof machineConfig>;

export const machineRequest = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,62}$/)
    .optional(),
  region: z.string().optional(),
  config: machineConfig,
  skip_launch: z.boolean().optional(),
  skip_service_registration: z.boolean().optional(),
  skip_secrets: z.boolean().optional(),
  min_secrets_version: z.number().int().nonnegative().optional(),
  lease_ttl: z.number().int().positive().optional(),
  current_version: z.string().optional(),
});

export type MachineRequest = z.infer<typeof machineRequest>;
