import { join } from 'node:path';

/** What the tenant's machine decides. */
export interface Settings {
  readonly host: string;
  readonly port: number;
  readonly databaseUrl: string;
  /** Folders in which `index.html` may lie; the first that has it is used. */
  readonly webDirectories: readonly string[];
  readonly servicesDirectory: string;
  /** Without one nobody can sync. */
  readonly syncToken: string | undefined;
}

/** Reads the machine's environment. Throws one line that names what is missing or wrong. */
export function readSettings(environment: Readonly<Record<string, string | undefined>>): Settings {
  const databaseUrl = environment['DATABASE_URL'];
  if (!databaseUrl) throw new Error('DATABASE_URL is not set');
  const port = Number(environment['PORT'] ?? '8080');
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new Error('PORT is not a port number');
  const web = environment['WEB_DIR'] ?? 'web';
  return {
    host: environment['HOST'] ?? '127.0.0.1',
    port,
    databaseUrl,
    webDirectories: [join(web, 'dist'), web],
    servicesDirectory: environment['SYSTEMPROMPT_SERVICES_PATH'] ?? 'services',
    syncToken: environment['SYNC_TOKEN'],
  };
}
