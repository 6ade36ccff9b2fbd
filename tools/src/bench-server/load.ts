import { connect, type Socket } from 'node:net';

/** One request, again and again. */
export interface Load {
  readonly port: number;
  /** The whole text of a request without a body; connections take turns with them. */
  readonly requests: readonly string[];
  readonly connections: number;
  readonly milliseconds: number;
}

/** How many answers came in a second, and in all. Plain sockets: a client that thinks would be what is measured. */
export async function requestsPerSecond({ port, requests, connections, milliseconds }: Load): Promise<{
  readonly rate: number;
  readonly answered: number;
}> {
  let answered = 0;
  let stopped = false;
  const started = performance.now();
  const run = async (index: number): Promise<void> => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    let turn = index;
    const send = (): void => {
      socket.write(requests[turn % requests.length] ?? '');
      turn += connections;
    };
    await new Promise<void>((done, fail) => {
      socket.on('connect', send);
      socket.on('error', fail);
      socket.on('close', () => done());
      readAnswers(socket, (status) => {
        if (status !== 200) {
          fail(new Error(`Answered with ${status}`));
          return;
        }
        answered += 1;
        if (stopped) socket.destroy();
        else send();
      });
    });
  };
  const running = Promise.all(Array.from({ length: connections }, (_, index) => run(index)));
  await Promise.race([running, new Promise((done) => setTimeout(done, milliseconds))]);
  const rate = (answered / (performance.now() - started)) * 1000;
  stopped = true;
  await running;
  return { rate, answered };
}

/** Tells the status of each answer of a connection, when all of it is there. */
function readAnswers(socket: Socket, answered: (status: number) => void): void {
  let text = '';
  socket.setEncoding('latin1');
  socket.on('data', (chunk: string) => {
    text += chunk;
    for (;;) {
      const head = text.indexOf('\r\n\r\n');
      if (head === -1) return;
      const headers = text.slice(0, head).toLowerCase();
      const length = Number(/\r\ncontent-length: (\d+)/.exec(headers)?.[1] ?? Number.NaN);
      const end = Number.isNaN(length) ? text.indexOf('0\r\n\r\n', head + 4) + 5 : head + 4 + length;
      if (end < head + 4 || text.length < end) return;
      text = text.slice(end);
      answered(Number(headers.slice(9, 12)));
    }
  });
}
