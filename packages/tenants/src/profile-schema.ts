import * as z from 'zod/mini';

const filled = z.string().check(z.minLength(1, 'must not be empty'));
const optionalText = z.pipe(
  z.nullish(z.string()),
  z.transform((value) => (value === '' ? undefined : (value ?? undefined))),
);
const validation = z.enum(['strict', 'warn', 'skip']);
const origin = z.string().check(z.regex(/^https?:\/\/./, 'must start with http:// or https://'));

/** What this package reads of a profile; everything else in the file is the tenant's business. */
export const profileSchema = z
  .object({
    name: filled,
    display_name: filled,
    target: z._default(z.enum(['local', 'cloud']), 'local'),
    database: z.object({ type: z.string(), external_db_access: z._default(z.boolean(), false) }),
    server: z.object({
      host: filled,
      port: z.int().check(z.minimum(1), z.maximum(65_535)),
      api_server_url: filled,
      api_internal_url: filled,
      api_external_url: filled,
      use_https: z._default(z.boolean(), false),
      cors_allowed_origins: z._default(z.array(origin), []),
    }),
    paths: z.object({
      system: filled,
      services: filled,
      bin: filled,
      web_path: optionalText,
      storage: optionalText,
      geoip_database: optionalText,
    }),
    cloud: z.nullish(z.object({ tenant_id: optionalText, validation: z._default(validation, 'strict') })),
    secrets: z.nullish(z.object({ secrets_path: filled, source: z.enum(['file', 'env']) })),
  })
  .check(({ value, issues }) => {
    if (value.target !== 'cloud') return;
    const { system, services, bin, web_path: web } = value.paths;
    for (const [member, path] of Object.entries({ system, services, bin })) {
      if (/^\/app(\/|$)/.test(path)) continue;
      issues.push({ code: 'custom', input: path, path: ['paths', member], message: 'must be below /app' });
    }
    if (web === undefined || (/^\/app\/web(\/|$)/.test(web) && !web.includes('/services/web'))) return;
    issues.push({ code: 'custom', input: web, path: ['paths', 'web_path'], message: 'must be below /app/web' });
  });
