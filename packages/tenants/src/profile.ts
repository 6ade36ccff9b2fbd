/** The part of a `profile.yaml` that programs on this side of the cloud use. */
export interface Profile {
  /** The file that it was loaded from. */
  readonly path: string;
  readonly name: string;
  readonly displayName: string;
  readonly target: 'local' | 'cloud';
  readonly database: { readonly type: string; readonly externalDbAccess: boolean };
  readonly server: {
    readonly host: string;
    readonly port: number;
    readonly apiServerUrl: string;
    readonly apiInternalUrl: string;
    readonly apiExternalUrl: string;
    readonly useHttps: boolean;
    readonly corsAllowedOrigins: readonly string[];
  };
  /** Absolute. */
  readonly paths: {
    readonly system: string;
    readonly services: string;
    readonly bin: string;
    readonly webPath?: string | undefined;
    readonly storage?: string | undefined;
    readonly geoipDatabase?: string | undefined;
  };
  readonly cloud?:
    | { readonly tenantId?: string | undefined; readonly validation: 'strict' | 'warn' | 'skip' }
    | undefined;
  readonly secrets?: { /** Absolute. */ readonly secretsPath: string; readonly source: 'file' | 'env' } | undefined;
}

/** A profile in a listing. */
export interface ProfileListing {
  /** The name of its folder. */
  readonly name: string;
  /** Its `profile.yaml`. */
  readonly path: string;
  readonly hasSecrets: boolean;
}
