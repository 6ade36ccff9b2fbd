const fixedNames = ['HOST', 'PORT', 'DATABASE_URL', 'DATABASE_TYPE', 'FLY_APP_NAME', 'FLY_MACHINE_ID'] as const;
const rotatedNames = ['SYNC_TOKEN', 'EXTERNAL_DATABASE_URL'] as const;

/**
 * Names that the owner's secrets do not replace: what a tenant's machine depends on, and what the platform rotates. A
 * deploy sends these from the project's file, where they may be of before the last rotation.
 */
export const platformDecided: ReadonlySet<string> = new Set([...fixedNames, ...rotatedNames]);

/**
 * The environment of a tenant's machine: the platform's defaults, over them the owner's secrets (so that an owner can
 * bring a `JWT_SECRET` of their own), over those what the platform alone decides. Holds secrets.
 */
export function machineEnvironment(request: {
  readonly appName: string;
  readonly releaseId: string;
  /** The database's address as the machine sees it. */
  readonly databaseUrl: string;
  readonly platformSecrets: Readonly<Record<string, string>>;
  readonly userSecrets: Readonly<Record<string, string>>;
}): Record<string, string> {
  const { JWT_SECRET: jwtSecret } = request.platformSecrets;
  const fixed: Record<(typeof fixedNames)[number], string> = {
    HOST: '0.0.0.0',
    PORT: '8080',
    DATABASE_URL: request.databaseUrl,
    DATABASE_TYPE: 'postgres',
    FLY_APP_NAME: request.appName,
    FLY_MACHINE_ID: request.releaseId,
  };
  return {
    RUST_LOG: 'info',
    SYSTEMPROMPT_SERVICES_PATH: '/app/services',
    WEB_DIR: '/app/web',
    JWT_ISSUER: 'systemprompt',
    ...(jwtSecret === undefined ? {} : { JWT_SECRET: jwtSecret }),
    ...pick(request.userSecrets, (name) => !platformDecided.has(name)),
    ...pick(request.platformSecrets, (name) => rotatedNames.some((rotated) => rotated === name)),
    ...fixed,
  };
}

function pick(values: Readonly<Record<string, string>>, wanted: (name: string) => boolean): Record<string, string> {
  return Object.fromEntries(Object.entries(values).filter(([name]) => wanted(name)));
}
