import { connect } from 'node:net';
import { createInterface } from 'node:readline';

/** What a process of subscribers is told to do. */
export interface Subscription {
  readonly port: number;
  readonly count: number;
  /** Whole texts of requests; subscribers take turns with them. */
  readonly requests: readonly string[];
}

/** Reads what to do, opens streams, says when all are open, then for each event when the last one has it. */
export function subscribe(): void {
  const input = createInterface({ input: process.stdin });
  input.once('line', (line) => open(JSON.parse(line) as Subscription));
  input.on('close', () => process.exit(0));
}

function open({ port, count, requests }: Subscription): void {
  let opened = 0;
  let got = 0;
  let next = 0;
  const openNext = (): void => {
    if (next === count) return;
    const request = requests[next % requests.length] ?? '';
    next += 1;
    const socket = connect({ port, host: '127.0.0.1' });
    let begun = false;
    socket.on('connect', () => socket.write(request));
    socket.on('data', (chunk: Buffer) => {
      // The first sign of life comes with the headers or behind them.
      if (!begun && chunk.includes('heartbeat')) {
        begun = true;
        opened += 1;
        if (opened === count) console.log(JSON.stringify({ opened }));
        openNext();
      }
      if (chunk.includes('event: provisioning')) {
        got += 1;
        if (got % count === 0) console.log(JSON.stringify({ all: Date.now() }));
      }
    });
    socket.on('error', (error) => {
      throw error;
    });
    socket.on('close', () => process.exit(1));
  };
  // A few at a time: the queue of a listening socket is not endless.
  for (let index = 0; index < 64; index += 1) openNext();
}
