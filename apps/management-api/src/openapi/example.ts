import type { JsonSchema } from './json-schema.ts';
import { type Operation, takesKey } from './operations.ts';

/** Values that say more than "string", by the name of the member. */
const known: Readonly<Record<string, string | number>> = {
  id: '4f1c2a90-7f5e-4c60-9d0e-2b6f6d1b8a11',
  provider: 'github',
  key: 'API_KEY',
  release: '7',
  token: 'TOKEN',
  name: 'shop',
  tenant_name: 'shop',
  domain: 'shop.example.com',
  image: 'registry.example.com/images:tenant-4f1c2a90-7f5e-4c60-9d0e-2b6f6d1b8a11',
  digest: `sha256:${'0'.repeat(64)}`,
  redirect_uri: 'http://127.0.0.1:8765/callback',
  timestamp: '2026-01-02T03:04:05+00:00',
  memory_mb: 512,
  code_verifier: 'a'.repeat(43),
  email: 'ada@example.com',
  message: 'What there is to say, in one line.',
  hostname: 'shop-4f1c2a.example.com',
  region: 'fra',
  state: 'running',
  status: 'running',
  event_type: 'vm_provisioned',
  action: 'tenants.deploy',
  kind: 'user',
  outcome: 'succeeded',
  number: 7,
  volume_gb: 1,
  expires_in: 3600,
  access_token: 'eyJhbGciOiJSUzI1NiJ9.e30.c2lnbmF0dXJl',
  refresh_token: 'sprt_REFRESH_TOKEN',
  token_type: 'Bearer',
  user_code: 'BCDF-GHJK',
  app_url: 'https://shop-4f1c2a.example.com',
  url: 'https://api.example.com/',
  authorize_url: 'https://github.com/login/oauth/authorize',
  checkout_url: 'https://api.example.com/checkout?_ptxn=txn_01',
  verification_uri: 'https://api.example.com/device',
  verification_uri_complete: 'https://api.example.com/device?user_code=BCDF-GHJK',
  secrets_url: 'https://api.example.com/api/v1/tenants/4f1c2a90-7f5e-4c60-9d0e-2b6f6d1b8a11/credentials/TOKEN',
  database_url: 'postgresql://app:***@db.example.com/app',
  internal_database_url: 'postgresql://app:PASSWORD@db.internal/app',
  subscription_status: 'active',
};

/** The command line that calls an endpoint. */
export function curlExample({ endpoint, parameters, body }: Operation, baseUrl: string): string {
  const path = endpoint.path.replace(/\{(\w+)\}/g, (_, name: string) => String(known[name] ?? name));
  const query = parameters
    .filter((parameter) => parameter.in === 'query' && parameter.required)
    .map(({ name }) => `${name}=${encodeURIComponent(String(known[name] ?? name))}`);
  const lines = [
    `curl ${endpoint.kind === 'events' ? '--no-buffer ' : ''}'${baseUrl}${path}${query.length === 0 ? '' : `?${query.join('&')}`}'`,
  ];
  if (endpoint.method !== 'GET') lines.push(`-X ${endpoint.method}`);
  if (endpoint.auth === 'bearer') lines.push('-H "Authorization: Bearer $TOKEN"');
  if (takesKey(endpoint) && !endpoint.idempotent) lines.push('-H "Idempotency-Key: $(uuidgen)"');
  if (body !== undefined) {
    lines.push("-H 'Content-Type: application/json'", `-d '${JSON.stringify(sample(body))}'`);
  }
  return lines.join(' \\\n  ');
}

/** An answer that fits a schema, with every member that it can have. */
export function sampleAnswer(schema: JsonSchema): unknown {
  return sample(schema, '', { whole: true });
}

/** A value that fits a schema: its required members, or the first one where none is; `whole`: all of them. */
export function sample(schema: JsonSchema, name = '', { whole = false }: { readonly whole?: boolean } = {}): unknown {
  const {
    type,
    enum: values,
    const: constant,
    oneOf,
    anyOf,
    properties = {},
    required = [],
    items,
    additionalProperties,
    pattern,
    format,
  } = schema as {
    type?: string;
    enum?: readonly unknown[];
    const?: unknown;
    oneOf?: readonly JsonSchema[];
    anyOf?: readonly JsonSchema[];
    properties?: Readonly<Record<string, JsonSchema>>;
    required?: readonly string[];
    items?: JsonSchema;
    additionalProperties?: JsonSchema;
    pattern?: string;
    format?: string;
  };
  const first = (oneOf ?? anyOf)?.[0];
  if (first !== undefined) return sample(first, name, { whole });
  if (constant !== undefined) return constant;
  if (values !== undefined) return values[0];
  switch (type) {
    case 'object': {
      const all = Object.keys(properties);
      const some = required.length > 0 ? required : all.slice(0, 1);
      const names = whole ? all : some;
      if (names.length === 0 && additionalProperties !== undefined) return { API_KEY: sample(additionalProperties) };
      return Object.fromEntries(names.map((member) => [member, sample(properties[member] ?? {}, member, { whole })]));
    }
    case 'array':
      return items === undefined ? [] : [sample(items, name, { whole })];
    case 'boolean':
      return true;
    case 'integer':
    case 'number':
      return typeof known[name] === 'number' ? known[name] : 1;
    default:
      if (/(?:_at|^time)$/.test(name)) return known['timestamp'];
      if (name.endsWith('_id')) return known['id'];
      if (format === 'uri') return known[name] ?? known['url'];
      return known[name] ?? (pattern?.includes('[0-9a-f]{64}') === true ? '0'.repeat(64) : 'text');
  }
}
