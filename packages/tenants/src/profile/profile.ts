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
  readonly name: string;
  readonly displayName: string;
  /** Where the project runs with it. @defaultValue local */
  readonly target: 'local' | 'cloud';
  readonly site: { readonly name: string; readonly githubLink?: string | undefined };
  readonly database: { readonly type: string; readonly externalDbAccess: boolean };
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
  readonly security: SecuritySettings;
  readonly rateLimits: RateLimits;
  readonly runtime: RuntimeSettings;
  readonly cloud?: { readonly tenantId?: string | undefined; readonly validation: ProfileValidation } | undefined;
  readonly secrets?:
    | {
        /** Absolute. */
        readonly secretsPath: string;
        readonly validation: ProfileValidation;
        /** Where the secrets are: in that file, or in the environment. */
        readonly source: 'file' | 'env';
      }
    | undefined;
  readonly extensions: { readonly disabled: readonly string[] };
  readonly gateway?: GatewaySettings | undefined;
}

/** A profile in a listing. */
export interface ProfileListing {
  /** The name of its folder. */
  readonly name: string;
  /** Its `profile.yaml`. */
  readonly path: string;
  readonly hasSecrets: boolean;
}

/** Whether the profile is for trying out only: no cloud, a local tenant, or a cloud that is not checked strictly. */
export function isLocalTrial(profile: Pick<Profile, 'cloud'>): boolean {
  const { cloud } = profile;
  return cloud === undefined || cloud.tenantId?.startsWith('local_') === true || cloud.validation !== 'strict';
}
