import { connect } from 'node:net';

/** Whether something listens at a port of this computer. */
export async function isListening(port: number): Promise<boolean> {
  const socket = connect({ host: '127.0.0.1', port, timeout: 1000 });
  try {
    return await new Promise((done) => {
      socket.once('connect', () => done(true));
      socket.once('timeout', () => done(false));
      socket.once('error', () => done(false));
    });
  } finally {
    socket.destroy();
  }
}
