import { createServiceLogger } from '../../src/serve/create-logger.ts';

// Writes some lines, and ends in the way that it is told.

const logger = createServiceLogger('info');
for (let line = 0; line < 100; line += 1) logger.info({ line }, 'before');
const ways: Readonly<Record<string, () => void>> = {
  exit: () => process.exit(),
  error: () => {
    throw new Error('nobody catches this');
  },
  rejection: () => void Promise.reject(new Error('nobody catches this')),
  killed: () => {
    logger.warn('last words');
    process.kill(process.pid, 'SIGKILL');
  },
  // As a server that has nothing to do.
  waits: () => setInterval(() => {}, 1000),
};
ways[process.argv[2] ?? '']?.();
