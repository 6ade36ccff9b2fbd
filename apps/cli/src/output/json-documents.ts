import type { AnyErrorCode } from '../advice.ts';
import type { CommandEvent } from './command-event.ts';

/**
 * What `--json` answers when a command fails, whichever it is.
 *
 * @public made into schemas/error.json
 */
export interface ErrorDocument {
  readonly error: ErrorDescription;
}

/**
 * One line of `--json-lines`: events, then the result or the error.
 *
 * @public made into schemas/json-lines.json
 */
export type JsonLinesDocument =
  | (CommandEvent & {
      /** When it happened: RFC 3339. */
      readonly at: string;
    })
  | {
      readonly type: 'result';
      /** What `--json` would have answered. */
      readonly result: unknown;
    }
  | { readonly type: 'error'; readonly error: ErrorDescription };

/** An error: its code, what went wrong, how to go on, and the facts that there are. */
export interface ErrorDescription {
  readonly code: AnyErrorCode;
  /** What, which and why, in one line. */
  readonly message: string;
  /** How to go on; one sentence or command line each. */
  readonly suggestions: readonly string[];
  /** With exit code 3: a value is missing that nobody can be asked for. */
  readonly actionRequired?: true | undefined;
  /** Command lines that go on from here. */
  readonly next?: readonly string[] | undefined;
  /** Flags and arguments whose value is missing. */
  readonly flags?: readonly string[] | undefined;
  /** What exists instead of what was asked for. */
  readonly available?: readonly string[] | undefined;
  /** The HTTP status, or where the tenant stands. */
  readonly status?: number | string | undefined;
  /** The API's own code. */
  readonly serverCode?: string | undefined;
  /** To be quoted to support. */
  readonly requestId?: string | undefined;
  readonly retryable?: boolean | undefined;
  /** Such as `ECONNREFUSED`. */
  readonly systemCode?: string | undefined;
  readonly path?: string | undefined;
  readonly directory?: string | undefined;
  readonly reason?: string | undefined;
  readonly port?: number | undefined;
  readonly seconds?: number | undefined;
  /** The step of a deploy that failed. */
  readonly step?: string | undefined;
  /** The exit code of a program that failed. */
  readonly exitCode?: number | undefined;
  /** What a program said last. */
  readonly lastLines?: readonly string[] | undefined;
  /** What is wrong in a file or a project. */
  readonly findings?: readonly Readonly<Record<string, unknown>>[] | undefined;
  readonly tenantId?: string | undefined;
  readonly checkoutSessionId?: string | undefined;
  /** Ids of what the name could mean. */
  readonly matches?: readonly string[] | undefined;
  readonly operationId?: string | undefined;
  readonly release?: number | undefined;
  /** Number of the release that goes on after another one was not healthy. */
  readonly servingRelease?: number | undefined;
  readonly names?: readonly string[] | undefined;
  readonly startedBy?: string | undefined;
  readonly startedAt?: Date | undefined;
  /** Files that it is about. */
  readonly paths?: readonly string[] | undefined;
  /** `host:port/database` of a database. */
  readonly address?: string | undefined;
  /** By which Postgres names an error, such as `42P01`. */
  readonly sqlState?: string | undefined;
  /** Where in a statement, in characters from 1. */
  readonly position?: number | undefined;
  /** A program of Postgres' own that is absent, too old, or failed. */
  readonly tool?: string | undefined;
  readonly neededVersion?: number | undefined;
  readonly foundVersion?: number | undefined;
  /** Tables with other numbers of rows than they should have. */
  readonly differences?: readonly Readonly<Record<string, unknown>>[] | undefined;
  readonly container?: string | undefined;
}
