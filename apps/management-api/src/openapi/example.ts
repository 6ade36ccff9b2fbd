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

/** A value that fits a schema: its required members, or the first one where none is. */
export function sample(schema: JsonSchema, name = ''): unknown {
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
  };
  const first = (oneOf ?? anyOf)?.[0];
  if (first !== undefined) return sample(first, name);
  if (constant !== undefined) return constant;
  if (values !== undefined) return values[0];
  switch (type) {
    case 'object': {
      const names = required.length > 0 ? required : Object.keys(properties).slice(0, 1);
      if (names.length === 0 && additionalProperties !== undefined) return { API_KEY: sample(additionalProperties) };
      return Object.fromEntries(names.map((member) => [member, sample(properties[member] ?? {}, member)]));
    }
    case 'array':
      return items === undefined ? [] : [sample(items, name)];
    case 'boolean':
      return true;
    case 'integer':
    case 'number':
      return typeof known[name] === 'number' ? known[name] : 1;
    default:
      return known[name] ?? (pattern?.includes('[0-9a-f]{64}') === true ? '0'.repeat(64) : 'text');
  }
}
