import type * as z from 'zod/mini';

/** HTTP methods of the contract. */
export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** A path with `{name}` placeholders, each one path segment. */
export type PathTemplate = `/api/v1/${string}`;

/**
 * One endpoint of the Management API. The client's methods, the server's routes and the reference all come from this.
 * Schemas describe camelCase values; `wire.ts` converts the keys.
 */
export interface Endpoint<Query = unknown, Request = unknown, Response = unknown> {
  /** One sentence for the reference. */
  readonly summary: string;
  /** The HTTP method. */
  readonly method: Method;
  /** The path with its placeholders. */
  readonly path: PathTemplate;
  /** Other spellings that the server accepts; the client never sends them. */
  readonly aliases?: readonly { readonly method: Method; readonly path: PathTemplate }[];
  /** Whether a token is needed. */
  readonly auth: 'none' | 'bearer';
  /** `data`: `{"data": payload}`; `bare`: the payload itself. The mix was fixed by the predecessor's wire format. */
  readonly envelope: 'data' | 'bare';
  /** Whether repeating the call changes nothing more, so that a client may retry it without a key. */
  readonly idempotent: boolean;
  /** `events`: the answer is a `text/event-stream` of `response` items. */
  readonly kind?: 'json' | 'events';
  /** What the query may hold; absent: nothing. */
  readonly query?: z.ZodMiniType<Query>;
  /** What the body must be; absent: no body. */
  readonly request?: z.ZodMiniType<Request>;
  /** The body of an answer without a value: some clients of the predecessor read a literal `null`. @defaultValue none */
  readonly empty?: 'null';
  /** Absent: the answer has no content. */
  readonly response?: z.ZodMiniType<Response>;
}

/** Keeps the schema types of an endpoint while checking its shape. */
export function endpoint<const E extends Endpoint>(definition: E): E {
  return definition;
}

/** What a client sends in the query of `E`. */
export type QueryOf<E> = E extends { query: z.ZodMiniType<infer T> } ? T : undefined;

/** What a client sends in the body of `E`. */
export type RequestOf<E> = E extends { request: z.ZodMiniType<infer T> } ? T : undefined;

/** What the server answers to `E` (for `kind: 'events'`: one event). */
export type ResponseOf<E> = E extends { response: z.ZodMiniType<infer T> } ? T : undefined;
