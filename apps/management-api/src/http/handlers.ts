import type { Contract, QueryOf, RequestOf, ResponseOf } from '@sp/cloud-api/contract';
import type { RequestOrigin } from '../audit/login-trail.ts';
import type { Caller } from '../tokens/authenticator.ts';
import type { EventSource } from './event-stream.ts';
import type { Effect } from './idempotency.ts';

/** Who a request comes from, as its token says. */
export type RequestUser = Caller;

/** What a handler is given: the request, checked and with TypeScript names. */
export interface HandlerInput<E> {
  readonly params: { readonly [Name in ParamsOf<E>]: string };
  readonly query: QueryOf<E>;
  readonly body: RequestOf<E>;
  readonly user: E extends { auth: 'bearer' } ? RequestUser : undefined;
  /** Aborted when the client goes away; never for a request with a key, which may come again for its answer. */
  readonly signal: AbortSignal;
  readonly request: Request;
  /** What the request is called, and where it came from. */
  readonly origin: RequestOrigin;
  /** What the same request of before has made, where no answer came of it. */
  readonly effect: Effect;
  /** Headers for the answer. */
  readonly answer: Headers;
}

/** Answers one endpoint: a value, or for `kind: 'events'` where the events come from. Failures are thrown. */
export type Handler<E> = (
  input: HandlerInput<E>,
) => Promise<E extends { kind: 'events' } ? EventSource<ResponseOf<E>> : ResponseOf<E>>;

/** One handler for each endpoint of the contract: a missing one does not compile. */
export type Handlers = {
  readonly [Resource in keyof Contract]: {
    readonly [Verb in keyof Contract[Resource]]: Handler<Contract[Resource][Verb]>;
  };
};

type ParamsOf<E> = E extends { path: infer Path extends string } ? NamesIn<Path> : never;

type NamesIn<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}` ? Name | NamesIn<Rest> : never;
