/** `server` of a profile. */
export interface ServerSettings {
  readonly host: string;
  readonly port: number;
  readonly apiServerUrl: string;
  readonly apiInternalUrl: string;
  readonly apiExternalUrl: string;
  readonly useHttps: boolean;
  readonly corsAllowedOrigins: readonly string[];
  readonly contentNegotiation: { readonly enabled: boolean; readonly markdownSuffix: string };
  readonly securityHeaders: {
    readonly enabled: boolean;
    readonly hsts: string;
    readonly frameOptions: string;
    readonly contentTypeOptions: string;
    readonly referrerPolicy: string;
    readonly permissionsPolicy: string;
    readonly contentSecurityPolicy?: string | undefined;
  };
}

/** `security` of a profile. */
export interface SecuritySettings {
  readonly jwtIssuer: string;
  /** Seconds. */
  readonly jwtAccessTokenExpiration: number;
  /** Seconds. */
  readonly jwtRefreshTokenExpiration: number;
  /** `web`, `api`, `a2a`, `mcp`, `internal`, or one of the project's own. */
  readonly jwtAudiences: readonly string[];
  readonly allowRegistration: boolean;
}

/** `rate_limits` of a profile: requests per second and client, and how they stretch. */
export interface RateLimits {
  readonly disabled: boolean;
  readonly oauthPublicPerSecond: number;
  readonly oauthAuthPerSecond: number;
  readonly contextsPerSecond: number;
  readonly tasksPerSecond: number;
  readonly artifactsPerSecond: number;
  readonly agentRegistryPerSecond: number;
  readonly agentsPerSecond: number;
  readonly mcpRegistryPerSecond: number;
  readonly mcpPerSecond: number;
  readonly streamPerSecond: number;
  readonly contentPerSecond: number;
  readonly burstMultiplier: number;
  /** What each kind of client gets of the above. */
  readonly tierMultipliers: {
    readonly admin: number;
    readonly user: number;
    readonly a2a: number;
    readonly mcp: number;
    readonly service: number;
    readonly anon: number;
  };
}

/** `runtime` of a profile. */
export interface RuntimeSettings {
  readonly environment: 'development' | 'test' | 'staging' | 'production';
  readonly logLevel: 'quiet' | 'normal' | 'verbose' | 'debug';
  readonly outputFormat: 'text' | 'json' | 'yaml';
  readonly noColor: boolean;
  readonly nonInteractive: boolean;
}

/** `gateway` of a profile: which model is asked where. */
export interface GatewaySettings {
  readonly enabled: boolean;
  readonly routes: readonly {
    readonly modelPattern: string;
    readonly provider: string;
    readonly endpoint: string;
    /** The name of the secret that has the key, not the key. */
    readonly apiKeySecret: string;
    readonly upstreamModel?: string | undefined;
    /** By their names on the wire. */
    readonly extraHeaders?: ReadonlyMap<string, string> | undefined;
  }[];
}
