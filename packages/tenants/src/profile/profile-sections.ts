/** `server` of a profile. */
export interface ServerSettings {
  /** The address that the server listens on. */
  readonly host: string;
  /** The port that it listens on. */
  readonly port: number;
  /** The server's address for its own parts. */
  readonly apiServerUrl: string;
  /** Its address inside of the tenant's network. */
  readonly apiInternalUrl: string;
  /** Its address for the public. */
  readonly apiExternalUrl: string;
  /** Whether the public address is reached over TLS. */
  readonly useHttps: boolean;
  /** Origins whose pages may call it. */
  readonly corsAllowedOrigins: readonly string[];
  /** Whether pages are given as Markdown too, and under which suffix. */
  readonly contentNegotiation: { readonly enabled: boolean; readonly markdownSuffix: string };
  /** What browsers are told about each answer; the values of the headers. */
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
  /** `iss` of the tokens that the server makes. */
  readonly jwtIssuer: string;
  /** Seconds. */
  readonly jwtAccessTokenExpiration: number;
  /** Seconds. */
  readonly jwtRefreshTokenExpiration: number;
  /** `web`, `api`, `a2a`, `mcp`, `internal`, or one of the project's own. */
  readonly jwtAudiences: readonly string[];
  /** Whether strangers may make accounts. */
  readonly allowRegistration: boolean;
}

/** `rate_limits` of a profile: requests per second and client, and how they stretch. */
export interface RateLimits {
  /** Whether nothing is limited. */
  readonly disabled: boolean;
  /** Login pages and metadata, which need no login. */
  readonly oauthPublicPerSecond: number;
  /** Requests for tokens. */
  readonly oauthAuthPerSecond: number;
  /** Conversations. */
  readonly contextsPerSecond: number;
  /** Tasks of agents. */
  readonly tasksPerSecond: number;
  /** What tasks produce. */
  readonly artifactsPerSecond: number;
  /** The list of agents. */
  readonly agentRegistryPerSecond: number;
  /** Requests to agents. */
  readonly agentsPerSecond: number;
  /** The list of MCP servers. */
  readonly mcpRegistryPerSecond: number;
  /** Requests to MCP servers. */
  readonly mcpPerSecond: number;
  /** Event streams that are opened. */
  readonly streamPerSecond: number;
  /** Pages and files. */
  readonly contentPerSecond: number;
  /** How many times of a limit may come at once. */
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
  /** What the server takes itself for. */
  readonly environment: 'development' | 'test' | 'staging' | 'production';
  /** How much it says. */
  readonly logLevel: 'quiet' | 'normal' | 'verbose' | 'debug';
  /** How its commands answer. */
  readonly outputFormat: 'text' | 'json' | 'yaml';
  /** Whether its commands leave out colours. */
  readonly noColor: boolean;
  /** Whether its commands never ask. */
  readonly nonInteractive: boolean;
}

/** `gateway` of a profile: which model is asked where. */
export interface GatewaySettings {
  /** Whether models are asked through the gateway. */
  readonly enabled: boolean;
  /** Where each model is asked. */
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
