import { type ApiScope, contract, type Endpoint, endpointScopes } from '@sp/cloud-api/contract';
import type * as z from 'zod/mini';
import { commonErrors, type DocumentedError, endpointErrors } from './endpoint-errors.ts';
import { type JsonSchema, jsonSchema } from './json-schema.ts';

/** A value that a request carries outside its body. */
export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required: boolean;
  readonly description?: string | undefined;
  readonly schema: JsonSchema;
}

/** An endpoint, as the reference tells of it. */
export interface Operation {
  /** `resource.verb`. */
  readonly name: string;
  readonly resource: string;
  readonly endpoint: Endpoint;
  /** What an API token needs; absent where nobody is asked who they are. */
  readonly scope: ApiScope | undefined;
  readonly parameters: readonly Parameter[];
  readonly body: JsonSchema | undefined;
  /** Of the answer, or of one event. */
  readonly answer: JsonSchema | undefined;
  readonly errors: readonly DocumentedError[];
}

const text: JsonSchema = { type: 'string' };

/** Every endpoint of the contract, in its order. */
export function listOperations(): Operation[] {
  return Object.entries(contract).flatMap(([resource, verbs]) =>
    Object.entries<Endpoint>(verbs).map(([verb, endpoint]) => {
      const name = `${resource}.${verb}`;
      const scope = (endpointScopes as Record<string, Record<string, ApiScope>>)[resource]?.[verb];
      return {
        name,
        resource,
        endpoint,
        scope,
        parameters: [...pathParameters(endpoint), ...queryParameters(endpoint), ...headerParameters(name, endpoint)],
        body: endpoint.request && jsonSchema(endpoint.request, 'request'),
        answer: endpoint.response && answerOf(endpoint),
        errors: errorsOf(name, endpoint),
      };
    }),
  );
}

/** Whether a client may send a key, so that the call happens once. */
export function takesKey({ auth, method }: Endpoint): boolean {
  return auth === 'bearer' && method !== 'GET';
}

function answerOf(endpoint: Endpoint): JsonSchema {
  const payload = jsonSchema(endpoint.response as z.ZodMiniType, 'answer');
  if (endpoint.envelope === 'bare') return payload;
  return { type: 'object', properties: { data: payload }, required: ['data'] };
}

function pathParameters({ path }: Endpoint): Parameter[] {
  const resource = path.split('/')[3] ?? '';
  const descriptions: Record<string, string> = {
    id: resource === 'tenants' ? 'Id of the tenant.' : 'Id.',
    provider: '`github` or `google`.',
    key: 'Name of the secret.',
    token: 'The last part of the one-time link.',
    release: 'Id or number of the release.',
  };
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => ({
    name,
    in: 'path',
    required: true,
    description: descriptions[name],
    schema: name === 'provider' ? { type: 'string', enum: ['github', 'google'] } : text,
  }));
}

function queryParameters({ query }: Endpoint): Parameter[] {
  if (query === undefined) return [];
  const { properties = {}, required = [] } = jsonSchema(query, 'request') as {
    properties?: Record<string, JsonSchema>;
    required?: readonly string[];
  };
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    schema,
  }));
}

function headerParameters(name: string, endpoint: Endpoint): Parameter[] {
  const header = (title: string, description: string, schema: JsonSchema = text): Parameter => ({
    name: title,
    in: 'header',
    required: false,
    description,
    schema,
  });
  const key = 'The same request with the same key happens once and is answered alike, for a day.';
  return [
    ...(takesKey(endpoint)
      ? [header('Idempotency-Key', key, { type: 'string', pattern: '^[\\x21-\\x7e]{1,255}$' })]
      : []),
    ...(name === 'tenants.update' ? [header('If-Match', 'Changes only the version that this `ETag` names.')] : []),
    ...(endpoint.kind === 'events' ? [header('Last-Event-ID', 'Goes on after the event of this id.')] : []),
  ];
}

function errorsOf(name: string, endpoint: Endpoint): DocumentedError[] {
  const common = commonErrors;
  const ofTenant = endpoint.path.startsWith('/api/v1/tenants/{id}');
  return [
    common.request,
    ...(endpoint.auth === 'bearer' ? [common.unauthorized, common.scope] : []),
    ...(ofTenant ? [common.tenant] : []),
    ...(endpointErrors[name] ?? []),
    ...(takesKey(endpoint) ? [common.keyInUse, common.keyReused] : []),
    ...(endpoint.request === undefined ? [] : [common.bodySize, common.bodyType]),
    common.rate,
    common.internal,
  ].sort((a, b) => a.status - b.status);
}
