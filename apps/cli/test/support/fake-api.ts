import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/** An API that answers by `METHOD path`; everything else is 404. Answers its base URL and what it was asked. */
export async function startFakeApi(
  answers: Readonly<Record<string, unknown>>,
): Promise<{ url: string; requests: { what: string; authorization: string | undefined }[] }> {
  const requests: { what: string; authorization: string | undefined }[] = [];
  const server = createServer((request, response) => {
    const what = `${request.method} ${request.url?.split('?')[0]}`;
    requests.push({ what, authorization: request.headers.authorization });
    const known = Object.hasOwn(answers, what);
    const body = known ? answers[what] : { error: { code: 'not_found', message: 'no such thing' } };
    response.writeHead(known ? 200 : 404, { 'content-type': 'application/json', 'x-request-id': 'req_test' });
    response.end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}
