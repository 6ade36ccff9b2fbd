import { randomUUID } from 'node:crypto';

/** A request that Paddle refuses. */
export class Refusal extends Error {
  readonly status: number;
  readonly code: string;
  readonly fields: readonly { readonly field: string; readonly message: string }[];
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    code: string,
    facts: {
      readonly detail: string;
      readonly fields?: Refusal['fields'];
      readonly headers?: Readonly<Record<string, string>>;
    },
  ) {
    super(facts.detail);
    this.status = status;
    this.code = code;
    this.fields = facts.fields ?? [];
    this.headers = facts.headers ?? {};
  }
}

/** An answer with one entity. */
export function sendEntity(data: object, status = 200): Response {
  return Response.json({ data, meta: { request_id: randomUUID() } }, { status });
}

/** An answer with a page of a list. */
export function sendPage(
  data: readonly object[],
  page: { readonly perPage: number; readonly next: string; readonly hasMore: boolean; readonly total: number },
): Response {
  const { perPage, next, hasMore, total } = page;
  const pagination = { per_page: perPage, next, has_more: hasMore, estimated_total: total };
  return Response.json({ data, meta: { request_id: randomUUID(), pagination } });
}

/** The answer to a request that is refused, or that failed on Paddle's side. */
export function sendRefusal({ status, code, message, fields, headers }: Refusal): Response {
  const error = {
    type: status >= 500 ? 'api_error' : 'request_error',
    code,
    detail: message,
    documentation_url: `https://developer.paddle.com/errors/shared/${code}`,
    ...(fields.length === 0 ? {} : { errors: fields }),
  };
  return Response.json({ error, meta: { request_id: randomUUID() } }, { status, headers });
}
