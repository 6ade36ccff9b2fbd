import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';

/** Parts that a machine may lack. */
export type OptionalPart = 'docker' | 'chromium' | 'postgres';

export const chromiumPath = '/usr/bin/chromium';

/** The folder with Postgres' server and programs as Debian installs them; `undefined` where there is none. */
export function findPostgres(): string | undefined {
  const parent = '/usr/lib/postgresql';
  const versions = existsSync(parent) ? readdirSync(parent).sort((a, b) => Number(b) - Number(a)) : [];
  return versions.map((version) => `${parent}/${version}/bin`).find((folder) => existsSync(`${folder}/initdb`));
}

const present: Readonly<Record<OptionalPart, () => boolean>> = {
  chromium: () => existsSync(chromiumPath),
  postgres: () => findPostgres() !== undefined,
  docker: () => {
    try {
      execFileSync('docker', ['version'], { stdio: 'ignore', timeout: 60_000 });
      return true;
    } catch {
      return false;
    }
  },
};

/** Skips the test by name where the part is absent; with the part in `SP_REQUIRE` its absence is a failure. */
export function requirePart(part: OptionalPart, context: { skip(note: string): void }): void {
  if (present[part]()) return;
  if ((process.env['SP_REQUIRE'] ?? '').split(',').includes(part))
    throw new Error(`SP_REQUIRE names ${part}, and it is absent`);
  context.skip(`needs ${part}`);
}
