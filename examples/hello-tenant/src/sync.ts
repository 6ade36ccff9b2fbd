import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createSyncHandler } from '@sp/sync/server';

const prefix = '/api/v1/sync';

/** Lets the project's owner take over what changed in this tenant, and bring changes without a deploy. */
export interface Sync {
  /** Whether it answers a request; everything else is somebody else's. */
  answers(path: string): boolean;
  answer(request: IncomingMessage, response: ServerResponse): Promise<void>;
}

export function openSync(options: {
  readonly root: string;
  readonly token: string | undefined;
  readonly onError: (message: string) => void;
}): Sync {
  const { root, token, onError } = options;
  const handler = createSyncHandler({
    root,
    token,
    prefix,
    onError: (error) => onError(`sync: ${error instanceof Error ? error.message : String(error)}`),
  });
  return {
    answers: (path) => path.startsWith(`${prefix}/`),
    async answer(incoming, outgoing) {
      const { method = 'GET', headers, url } = incoming;
      const body =
        method === 'GET' || method === 'HEAD' ? null : (Readable.toWeb(incoming) as ReadableStream<Uint8Array>);
      const given = Object.entries(headers).map(([name, value]): [string, string] => [name, String(value)]);
      const request = new Request(`http://tenant${url}`, { method, headers: given, body, duplex: 'half' });
      const response = await handler(request);
      outgoing.writeHead(response.status, Object.fromEntries(response.headers));
      if (response.body === null) outgoing.end();
      else await pipeline(Readable.fromWeb(response.body), outgoing);
    },
  };
}
