import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { temporaryFolder } from './fixture-project.ts';

/** A socket before the engine's own that can be cut. */
export async function cuttableEngine(): Promise<{ readonly host: string; cut(): void }> {
  const path = join(await temporaryFolder(), 'engine.sock');
  const open = new Set<Socket>();
  const server = createServer((client) => {
    const engine = connect('/var/run/docker.sock');
    for (const socket of [client, engine]) {
      open.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => open.delete(socket));
    }
    client.pipe(engine).pipe(client);
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const cut = (): void => {
    server.close();
    for (const socket of open) socket.destroy();
  };
  onTestFinished(cut);
  return { host: `unix://${path}`, cut };
}
