import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** Runs `psql` on this terminal until it ends, with the password in its environment; answers its exit code. */
export async function runPsql(
  program: string,
  options: {
    /** The variables by which Postgres' programs take an address. */
    readonly address: Readonly<Record<string, string>>;
    readonly env: Readonly<Record<string, string | undefined>>;
  },
): Promise<number> {
  // Ctrl-C belongs to psql: it cancels a statement there.
  const ignore = (): void => undefined;
  process.on('SIGINT', ignore);
  try {
    const child = spawn(program, [], { env: { ...options.env, ...options.address }, stdio: 'inherit' });
    const [code] = (await once(child, 'exit')) as [number | null];
    return code ?? 1;
  } finally {
    process.off('SIGINT', ignore);
  }
}
