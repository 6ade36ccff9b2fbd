import { createServer } from 'node:net';
import { MachineError } from './machine-error.ts';

/** Options of {@link createMachinePorts}. */
export interface MachinePortsOptions {
  /**
   * The addresses (`host:port`) at which tenants are looked for, whether something runs there or not: while one is noted,
   * no other machine may answer at it. @defaultValue none
   */
  readonly notedAddresses?: (() => Promise<readonly string[]>) | undefined;
  /** The first port to give. @defaultValue 20000 */
  readonly first?: number | undefined;
  /** How many there are. @defaultValue 12000 */
  readonly count?: number | undefined;
}

/** Gives a port of 127.0.0.1 that is neither in use nor one of `kept`, those of machines that may start again. */
export type ChooseMachinePort = (kept: Iterable<number>) => Promise<number>;

/**
 * Ports for machines. A machine keeps its own over its restarts, so they are below those that operating systems give to
 * connections: one of these would take it while the machine is away. Each is given after all others were.
 */
export function createMachinePorts(options: MachinePortsOptions = {}): ChooseMachinePort {
  const { notedAddresses = async () => [], first = 20_000, count = 12_000 } = options;
  // By chance, so that several control planes of a computer are not after the same ones at the same time.
  let next = Math.floor(Math.random() * count);
  return async (kept) => {
    const taken = new Set(kept);
    for (const address of await notedAddresses()) taken.add(Number(address.slice(address.lastIndexOf(':') + 1)));
    for (let tried = 0; tried < count; tried += 1) {
      const port = first + (next++ % count);
      if (!taken.has(port) && (await isFree(port))) return port;
    }
    const reason = `none of the ports from ${first} to ${first + count - 1} is free`;
    throw new MachineError('SP_MACHINE_STATE', { message: `No port for a machine: ${reason}`, reason });
  };
}

function isFree(port: number): Promise<boolean> {
  return new Promise((done) => {
    const server = createServer();
    server.once('error', () => done(false));
    server.listen(port, '127.0.0.1', () => server.close(() => done(true)));
  });
}
