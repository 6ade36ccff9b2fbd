import { apiScopes, provisioningEventName, requestIdHeader } from '@sp/cloud-api/contract';
import { replayedHeader } from '../http/idempotency.ts';
import type { DocumentedError } from './endpoint-errors.ts';
import { limitsOf } from './endpoint-limits.ts';
import { sample, sampleAnswer } from './example.ts';
import type { JsonSchema } from './json-schema.ts';
import { listOperations, type Operation, takesKey } from './operations.ts';
import { tagDescriptions } from './tags.ts';

/** An OpenAPI 3.1 document. */
export type OpenApiDocument = { readonly openapi: string; readonly [member: string]: unknown };

const errorSchema: JsonSchema = {
  type: 'object',
  properties: {
    error: {
      type: 'object',
      properties: {
        code: { type: 'string', description: 'snake_case and stable: programs decide by it.' },
        message: { type: 'string', description: 'One line: what, which, why.' },
        request_id: { type: 'string' },
      },
      required: ['code', 'message'],
    },
  },
  required: ['error'],
};

const stringHeader = (description: string): object => ({ description, schema: { type: 'string' } });

/** The reference of the API for programs, made from the contract's table. */
export function createOpenApiDocument({ baseUrl }: { readonly baseUrl: string }): OpenApiDocument {
  const operations = listOperations();
  const paths: Record<string, Record<string, object>> = {};
  const schemas: Record<string, JsonSchema> = { Error: errorSchema };
  for (const operation of operations) {
    const { endpoint } = operation;
    const id = operationId(operation.name);
    const named = { request: `${capital(id)}Request`, answer: `${capital(id)}Response` };
    if (operation.body !== undefined) schemas[named.request] = operation.body;
    if (operation.answer !== undefined) schemas[named.answer] = operation.answer;
    const spellings = [endpoint, ...(endpoint.aliases ?? [])];
    for (const [index, { method, path }] of spellings.entries()) {
      const item = (paths[path] ??= {});
      // An id names one operation: another spelling of it has one of its own.
      item[method.toLowerCase()] = describe(operation, {
        id: index === 0 ? id : `${id}${capital(method.toLowerCase())}`,
        named,
      });
    }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'SystemPrompt Cloud Management API',
      version: '1',
      description:
        'Tenants of SystemPrompt Cloud: checkout, provisioning, deploys, releases, secrets, domains and logs. ' +
        'A login may do everything; an API token what its scopes say. `x-rate-limits` names the limits of an operation ' +
        'where the operator has set no others.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: baseUrl }],
    tags: Object.entries(tagDescriptions).map(([name, description]) => ({ name, description })),
    paths,
    components: { schemas, securitySchemes: securitySchemes(baseUrl), headers: sharedHeaders },
  };
}

/** The name of an endpoint as a name in most languages: `tenantsGetStatus`. */
function operationId(name: string): string {
  return name.replace(/\.(\w)/g, (_, letter: string) => letter.toUpperCase());
}

const sharedHeaders = {
  RequestId: stringHeader('Names the request in the server’s logs and in the audit log.'),
  ETag: stringHeader('The version of the tenant, for `If-Match`.'),
  RateLimit: stringHeader('How many requests are left of the limit: `"user";r=597;t=42`.'),
  RetryAfter: { description: 'Seconds until the request may come again.', schema: { type: 'integer' } },
  IdempotencyReplayed: stringHeader('`true`: the answer had been given before.'),
};

function describe(
  { name, resource, endpoint, scope, parameters, errors, body, answer }: Operation,
  { id, named }: { readonly id: string; readonly named: { readonly request: string; readonly answer: string } },
): object {
  return {
    operationId: id,
    summary: endpoint.summary,
    tags: [resource],
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            content: { 'application/json': { schema: reference(named.request), example: sample(body) } },
          },
        }),
    responses: {
      ...success({ name, endpoint, answer, schema: named.answer }),
      ...failures(errors),
    },
    // Scopes of another scheme than OAuth's are the roles of OpenAPI 3.1.
    security: scope === undefined ? [] : [{ login: [] }, { apiToken: [scope] }],
    'x-rate-limits': limitsOf(name, endpoint),
  };
}

function success(facts: {
  readonly name: string;
  readonly endpoint: Operation['endpoint'];
  readonly answer: JsonSchema | undefined;
  readonly schema: string;
}): object {
  const { name, endpoint, answer, schema } = facts;
  const headers = {
    [requestIdHeader]: header('RequestId'),
    ratelimit: header('RateLimit'),
    ...(name === 'tenants.get' || name === 'tenants.update' ? { etag: header('ETag') } : {}),
    ...(takesKey(endpoint) ? { [replayedHeader]: header('IdempotencyReplayed') } : {}),
  };
  if (endpoint.kind === 'events') {
    const data = JSON.stringify(sampleAnswer(answer ?? {}));
    const events = {
      schema: { type: 'string' },
      // Lines of output are events without a name.
      example: `id: 7\n${name === 'tenants.followLogs' ? '' : `event: ${provisioningEventName}\n`}data: ${data}\n\n`,
      'x-event-data': reference(schema),
    };
    return {
      200: { description: 'The events as they happen.', headers, content: { 'text/event-stream': events } },
      204: { description: 'There will be no more events after the last one seen.' },
    };
  }
  if (endpoint.empty === 'null') {
    return {
      200: {
        description: 'Done.',
        headers,
        content: { 'application/json': { schema: { type: 'null' }, example: null } },
      },
    };
  }
  if (answer === undefined) return { 204: { description: 'Done.', headers } };
  const content = { 'application/json': { schema: reference(schema), example: sampleAnswer(answer) } };
  return { 200: { description: 'Done.', headers, content } };
}

function failures(errors: readonly DocumentedError[]): object {
  const byStatus = groupByStatus(errors);
  return Object.fromEntries(
    [...byStatus].map(([status, same]) => [
      status,
      {
        description: same.map(({ code, when }) => `\`${code}\`: ${when}`).join('\n\n'),
        ...(status === 429 ? { headers: { 'retry-after': header('RetryAfter'), ratelimit: header('RateLimit') } } : {}),
        content: { 'application/json': { schema: reference('Error'), examples: errorExamples(same) } },
      },
    ]),
  );
}

function errorExamples(errors: readonly DocumentedError[]): object {
  return Object.fromEntries(
    errors.map(({ code, when }) => [
      code,
      {
        summary: when,
        value: { error: { code, message: when, request_id: 'req_2b6f6d1b-8a11-4c60-9d0e-4f1c2a907f5e' } },
      },
    ]),
  );
}

function groupByStatus(errors: readonly DocumentedError[]): Map<number, DocumentedError[]> {
  const groups = new Map<number, DocumentedError[]>();
  for (const error of errors) groups.set(error.status, [...(groups.get(error.status) ?? []), error]);
  return groups;
}

function securitySchemes(baseUrl: string): object {
  return {
    login: {
      type: 'http',
      scheme: 'bearer',
      bearerFormat: 'JWT',
      description: `The access token of a login; any OAuth client gets one (${baseUrl}/.well-known/oauth-authorization-server).`,
    },
    apiToken: {
      type: 'http',
      scheme: 'bearer',
      bearerFormat: 'spc_…',
      description: `A token for programs without a person. Its scopes are some of: ${apiScopes.join(', ')}.`,
    },
  };
}

const reference = (name: string): JsonSchema => ({ $ref: `#/components/schemas/${name}` });
const header = (name: keyof typeof sharedHeaders): object => ({ $ref: `#/components/headers/${name}` });
const capital = (word: string): string => `${word.slice(0, 1).toUpperCase()}${word.slice(1)}`;
