import type {
  GatewaySettings,
  RateLimits,
  RuntimeSettings,
  SecuritySettings,
  ServerSettings,
} from './profile-sections.ts';

/** What a problem with the cloud or the secrets does to a start: stop it, be told, or nothing. */
export type ProfileValidation = 'strict' | 'warn' | 'skip';

/** A `profile.yaml`, read: variables filled in, defaults filled in, paths absolute. */
export interface Profile {
  /** The file that it was loaded from. */
  readonly path: string;
  /** The profile's name for programs. */
  readonly name: string;
  /** The profile's name for people. */
  readonly displayName: string;
  /** Where the project runs with it. @defaultValue local */
  readonly target: 'local' | 'cloud';
  /** What the project calls itself, and its repository. */
  readonly site: { readonly name: string; readonly githubLink?: string | undefined };
  /** Which database, and whether it can be used from outside. */
  readonly database: { readonly type: string; readonly externalDbAccess: boolean };
  /** How the server is reached. */
  readonly server: ServerSettings;
  /** Absolute. */
  readonly paths: {
    readonly system: string;
    readonly services: string;
    readonly bin: string;
    readonly webPath?: string | undefined;
    readonly storage?: string | undefined;
    readonly geoipDatabase?: string | undefined;
  };
  /** Tokens and accounts. */
  readonly security: SecuritySettings;
  /** How many requests are answered. */
  readonly rateLimits: RateLimits;
  /** How the server runs. */
  readonly runtime: RuntimeSettings;
  /** The tenant that the profile is for; absent without the cloud. */
  readonly cloud?: { readonly tenantId?: string | undefined; readonly validation: ProfileValidation } | undefined;
  /** Where the secrets are; absent when there are none. */
  readonly secrets?:
    | {
        /** Absolute. */
        readonly secretsPath: string;
        readonly validation: ProfileValidation;
        /** Where the secrets are: in that file, or in the environment. */
        readonly source: 'file' | 'env';
      }
    | undefined;
  /** Names of extensions that are switched off. */
  readonly extensions: { readonly disabled: readonly string[] };
  /** Which model is asked where; absent without a gateway. */
  readonly gateway?: GatewaySettings | undefined;
}

/** A profile in a listing. */
export interface ProfileListing {
  /** The name of its folder. */
  readonly name: string;
  /** Its `profile.yaml`. */
  readonly path: string;
  /** Whether there is a `secrets.json` beside it. */
  readonly hasSecrets: boolean;
}

/** Whether the profile is for trying out only: no cloud, a local tenant, or a cloud that is not checked strictly. */
export function isLocalTrial(profile: Pick<Profile, 'cloud'>): boolean {
  const { cloud } = profile;
  return cloud === undefined || cloud.tenantId?.startsWith('local_') === true || cloud.validation !== 'strict';
}
