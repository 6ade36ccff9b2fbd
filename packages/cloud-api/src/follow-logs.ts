import type { LogEntry, LogsQuery } from './contract/logs.ts';
import { contract } from './contract/table.ts';
import { CloudApiError } from './errors.ts';
import { type EventStreamOptions, followEvents } from './event-stream.ts';
import type { Transport } from './transport.ts';
import { toWire } from './wire.ts';

/** The lines of a tenant's machine, and those that follow. */
export function followLogs(
  transport: Transport,
  id: string,
  options: LogsQuery & EventStreamOptions,
): AsyncIterable<LogEntry> {
  const { tail, since, release, ...stream } = options;
  const { followLogs: endpoint } = contract.tenants;
  const search = new URLSearchParams(toWire({ tail, since, release }) as Record<string, string>).toString();
  const path = search === '' ? endpoint.path : (`${endpoint.path}?${search}` as const);
  // Lines have no type; no line is the last one, and nothing but the stream gives them.
  type Line = LogEntry & { readonly eventType: string };
  return followEvents<Line>(
    transport,
    { ...endpoint, path },
    { id },
    {
      ...stream,
      isTerminal: () => false,
      look: () => {
        const message = `GET ${endpoint.path} was answered without a stream`;
        return Promise.reject(new CloudApiError({ code: 'SP_API_INVALID_RESPONSE', message }));
      },
    },
  );
}
