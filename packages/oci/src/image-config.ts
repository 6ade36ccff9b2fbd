/** How a container decides whether it is healthy. */
export interface ImageHealthcheck {
  /** For example `['CMD', '/app/bin', 'health']` or `['CMD-SHELL', 'curl -f …']`. */
  readonly test: readonly string[];
  /** Time between two checks. @defaultValue the engine's, 30 for docker */
  readonly intervalSeconds?: number | undefined;
  /** How long one check may take. @defaultValue the engine's, 30 for docker */
  readonly timeoutSeconds?: number | undefined;
  /** For so long after its start a container may fail without being unhealthy. @defaultValue the engine's, 0 for docker */
  readonly startPeriodSeconds?: number | undefined;
  /** Failures in a row that make it unhealthy. */
  readonly retries?: number | undefined;
}

/** What runs in a container of the image, and how. */
export interface ImageConfig {
  /** In Go's words: `amd64`, `arm64`. */
  readonly architecture: string;
  /** Usually `linux`. */
  readonly os: string;
  /** Processor variant, for example `v8`. */
  readonly variant?: string | undefined;
  /** `user[:group]`, names or numbers. */
  readonly user?: string | undefined;
  /** `NAME=value`. */
  readonly env?: readonly string[] | undefined;
  /** The program that always runs, and its first arguments. */
  readonly entrypoint?: readonly string[] | undefined;
  /** What runs, or the arguments of `entrypoint`. */
  readonly cmd?: readonly string[] | undefined;
  /** Absolute path of the folder that a container starts in. */
  readonly workingDir?: string | undefined;
  /** TCP ports. */
  readonly exposedPorts?: readonly number[] | undefined;
  /** Any facts about the image, by name. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** Without one, nothing asks whether a container is healthy. */
  readonly healthcheck?: ImageHealthcheck | undefined;
  /** For example `SIGINT`. */
  readonly stopSignal?: string | undefined;
  /** Paths that get a volume. */
  readonly volumes?: readonly string[] | undefined;
}

/**
 * The config of an image made on a base: a value given wins, `env` and `labels` by name; ports and volumes add up. As in
 * a Dockerfile, a new entrypoint drops the base's command.
 */
export function mergeImageConfig(base: ImageConfig, config: ImageConfig): ImageConfig {
  const { cmd: baseCommand, ...inherited } = base;
  const given = Object.fromEntries(Object.entries(config).filter(([, value]) => value !== undefined));
  return {
    ...inherited,
    ...(config.entrypoint === undefined && baseCommand !== undefined ? { cmd: baseCommand } : {}),
    ...(given as unknown as ImageConfig),
    env: mergeEnv(base.env ?? [], config.env ?? []),
    labels: { ...base.labels, ...config.labels },
    exposedPorts: Array.from(new Set([...(base.exposedPorts ?? []), ...(config.exposedPorts ?? [])])),
    volumes: Array.from(new Set([...(base.volumes ?? []), ...(config.volumes ?? [])])),
  };
}

function mergeEnv(base: readonly string[], added: readonly string[]): readonly string[] {
  const byName = new Map<string, string>();
  for (const line of [...base, ...added]) byName.set(line.split('=', 1)[0] ?? line, line);
  return Array.from(byName.values());
}
