import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/** An answer that is none: the status and the code of the error. */
export class Refusal {
  readonly status: number;
  readonly code: string;
  constructor(status: number, code: string) {
    this.status = status;
    this.code = code;
  }
}

/** One request as the API got it. */
export interface SeenRequest {
  readonly what: string;
  readonly authorization: string | undefined;
}

/** An API that answers by `METHOD path`; everything else is 404. Answers its base URL and what it was asked. */
export async function startFakeApi(
  answers: Readonly<Record<string, unknown>>,
): Promise<{ url: string; requests: SeenRequest[]; bodies: unknown[]; answers: Readonly<Record<string, unknown>> }> {
  const requests: SeenRequest[] = [];
  const bodies: unknown[] = [];
  const server = createServer((request, response) => {
    const what = `${request.method} ${request.url?.split('?')[0]}`;
    requests.push({ what, authorization: request.headers.authorization });
    let text = '';
    request.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    request.on('end', () => {
      if (text !== '') bodies.push(JSON.parse(text));
      const known = Object.hasOwn(answers, what);
      const answer = known ? answers[what] : new Refusal(404, 'not_found');
      const body = answer instanceof Refusal ? { error: { code: answer.code, message: answer.code } } : answer;
      response.writeHead(answer instanceof Refusal ? answer.status : 200, {
        'content-type': 'application/json',
        'x-request-id': 'req_test',
      });
      response.end(JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests, bodies, answers };
}
