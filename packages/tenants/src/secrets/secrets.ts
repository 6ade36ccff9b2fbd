/** The secrets of a profile. */
export interface Secrets {
  /** At least 32 bytes. */
  readonly jwtSecret: string;
  /** The database. Holds a password. */
  readonly databaseUrl: string;
  /** For writing, where reading and writing go to different databases. */
  readonly databaseWriteUrl?: string | undefined;
  /** The database as seen from outside. */
  readonly externalDatabaseUrl?: string | undefined;
  /** The database as the tenant itself sees it. */
  readonly internalDatabaseUrl?: string | undefined;
  /** For file synchronisation. */
  readonly syncToken?: string | undefined;
  /** API key. */
  readonly gemini?: string | undefined;
  /** API key. */
  readonly anthropic?: string | undefined;
  /** API key. */
  readonly openai?: string | undefined;
  /** Token. */
  readonly github?: string | undefined;
  /** API key. */
  readonly moonshot?: string | undefined;
  /** API key. */
  readonly qwen?: string | undefined;
  /** The project's own, by the names that they have in the file. */
  readonly custom: ReadonlyMap<string, string>;
}

/** A secret that every project may have. */
export type SecretMember = Exclude<keyof Secrets, 'custom'>;

/** How each is called in the file, and in the environment; the first name there is the one that is written. */
export const secretNames: Readonly<
  Record<SecretMember, { readonly file: string; readonly environment: readonly [string, ...string[]] }>
> = {
  jwtSecret: { file: 'jwt_secret', environment: ['JWT_SECRET'] },
  databaseUrl: { file: 'database_url', environment: ['DATABASE_URL'] },
  databaseWriteUrl: { file: 'database_write_url', environment: ['DATABASE_WRITE_URL'] },
  externalDatabaseUrl: { file: 'external_database_url', environment: ['EXTERNAL_DATABASE_URL'] },
  internalDatabaseUrl: { file: 'internal_database_url', environment: ['INTERNAL_DATABASE_URL'] },
  syncToken: { file: 'sync_token', environment: ['SYNC_TOKEN'] },
  gemini: { file: 'gemini', environment: ['GEMINI_API_KEY'] },
  anthropic: { file: 'anthropic', environment: ['ANTHROPIC_API_KEY'] },
  openai: { file: 'openai', environment: ['OPENAI_API_KEY'] },
  github: { file: 'github', environment: ['GITHUB_TOKEN'] },
  moonshot: { file: 'moonshot', environment: ['MOONSHOT_API_KEY', 'KIMI_API_KEY'] },
  qwen: { file: 'qwen', environment: ['QWEN_API_KEY', 'DASHSCOPE_API_KEY'] },
};

/** All secrets that every project may have, in the order of {@link Secrets}. */
export const secretMembers = Object.keys(secretNames) as readonly SecretMember[];

const aliases: ReadonlyMap<string, SecretMember> = new Map([
  ...secretMembers.flatMap((member) => {
    const { file, environment } = secretNames[member];
    return [file, ...environment].map((name) => [name, member] as const);
  }),
  ['kimi', 'moonshot'] as const,
  ['dashscope', 'qwen'] as const,
]);

/**
 * The secret of this name: a name of the file, of the environment, or one of the project's own in lower or upper case.
 *
 * @example
 * lookupSecret(secrets, 'ANTHROPIC_API_KEY') === lookupSecret(secrets, 'anthropic'); // true
 */
export function lookupSecret(secrets: Secrets, name: string): string | undefined {
  const member = aliases.get(name);
  const known = member === undefined ? undefined : secrets[member];
  if (known !== undefined) return known;
  const flipped = name === name.toUpperCase() ? name.toLowerCase() : name.toUpperCase();
  return secrets.custom.get(name) ?? secrets.custom.get(flipped);
}

/** The database to use: `external` prefers the URL as seen from outside. */
export function effectiveDatabaseUrl(secrets: Secrets, options: { readonly external: boolean }): string {
  return (options.external ? secrets.externalDatabaseUrl : undefined) ?? secrets.databaseUrl;
}

/**
 * A secret to be shown: its first `visible` characters, or nothing of it when it has no more than that.
 *
 * @example
 * maskSecret('sk-ant-0123456789', 6); // 'sk-ant...'
 */
export function maskSecret(value: string, visible: number): string {
  if (value === '') return '(not set)';
  return value.length <= visible ? '***' : `${value.slice(0, visible)}...`;
}
