import { type AddressInfo, connect, createServer } from 'node:net';

/** A port that passes everything on to another one, and counts the bytes of both directions. */
export async function countingProxy(port: number): Promise<{
  readonly port: number;
  /** Bytes since the last call. */
  take(): number;
  close(): void;
}> {
  let bytes = 0;
  const server = createServer((client) => {
    const target = connect(port, '127.0.0.1');
    for (const [from, to] of [
      [client, target],
      [target, client],
    ] as const) {
      from.on('data', (piece) => (bytes += piece.length));
      from.on('error', () => to.destroy());
      from.pipe(to);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    take() {
      const taken = bytes;
      bytes = 0;
      return taken;
    },
    close: () => void server.close(),
  };
}
