import type { LogEntry } from '@sp/cloud-api';

/**
 * What a command tells while it works: one line of `--json-lines` each. The last line is `result` or `error`; programs
 * skip types that they do not know.
 */
export type CommandEvent =
  | {
      readonly type: 'step-started';
      /** The same in all events of the step, such as `push`. */
      readonly step: string;
      readonly title: string;
    }
  | {
      readonly type: 'step-progress';
      readonly step: string;
      readonly message: string;
      /** How much is there already, of `total`; both in bytes. */
      readonly done?: number | undefined;
      readonly total?: number | undefined;
    }
  | {
      readonly type: 'step-completed';
      readonly step: string;
      readonly seconds: number;
      /** What the step found out or did. */
      readonly facts?: Readonly<Record<string, string | number | boolean>> | undefined;
    }
  | { readonly type: 'step-failed'; readonly step: string; readonly seconds: number }
  | { readonly type: 'note'; readonly message: string }
  | { readonly type: 'warning'; readonly message: string }
  | {
      /** Somebody must visit a page before the command can go on. */
      readonly type: 'visit';
      readonly url: string;
      /** What to type there. */
      readonly code?: string | undefined;
    }
  | {
      /** A port is open on this computer. */
      readonly type: 'listening';
      readonly port: number;
      /** Without the password. */
      readonly url: string;
    }
  | ({ readonly type: 'log-line' } & LogEntry)
  | {
      readonly type: 'tenant-status';
      readonly tenantId: string;
      readonly tenantName: string;
      readonly status: string;
      readonly message?: string | undefined;
    };
