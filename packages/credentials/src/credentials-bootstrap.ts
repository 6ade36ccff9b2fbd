import {
  type BootstrapCredentialsOptions,
  type BootstrappedCredentials,
  bootstrapCredentials,
  isContainer,
} from './bootstrap-credentials.ts';
import type { CloudCredentials } from './cloud-credentials.ts';
import { CredentialsError } from './credentials-error.ts';
import { tokenExpiresWithin, tokenStatus } from './token-expiry.ts';

/** Something that is not right but does not keep the process from starting. */
export type CredentialsWarning =
  /** Within an hour. */
  | { readonly type: 'expires-soon' }
  /** A container's credentials, which nobody there could replace. */
  | { readonly type: 'validation-failed' };

/** Where credentials come from, and how they are checked. */
export interface CredentialsBootstrapOptions extends BootstrapCredentialsOptions {
  /**
   * Asks the server whether it takes the credentials.
   *
   * @defaultValue they are not checked
   */
  readonly validate?: ((credentials: CloudCredentials) => Promise<boolean>) | undefined;
  /** Told of what is no reason to fail. */
  readonly onWarning?: ((warning: CredentialsWarning) => void) | undefined;
}

/** Holds a process's credentials. Nothing is loaded before `init` or `tryInit`. */
export interface CredentialsBootstrap {
  /**
   * Loads the credentials. `undefined`: a container without any.
   *
   * @throws {CredentialsError} `SP_BOOTSTRAP_ALREADY_INITIALIZED`, `SP_BOOTSTRAP_FILE_NOT_FOUND`,
   * `SP_BOOTSTRAP_VALIDATION_FAILED`, and what `bootstrapCredentials` throws
   */
  init(options: CredentialsBootstrapOptions): Promise<CloudCredentials | undefined>;
  /** The same, but gives what is there when it was called before. */
  tryInit(options: CredentialsBootstrapOptions): Promise<CloudCredentials | undefined>;
  /** Decides that there are none; does nothing when there are some. */
  initEmpty(): void;
  /** Whether `init`, `tryInit` or `initEmpty` has succeeded. */
  isInitialized(): boolean;
  /** Who is logged in; `undefined` when nobody is. @throws {CredentialsError} `SP_BOOTSTRAP_NOT_INITIALIZED` */
  get(): CloudCredentials | undefined;
  /** Who is logged in. @throws {CredentialsError} `SP_BOOTSTRAP_NOT_INITIALIZED`, `SP_BOOTSTRAP_NOT_AVAILABLE` */
  require(): CloudCredentials;
  /** Whether the token expires in less than so many seconds; `false` without one. */
  expiresWithin(seconds: number): boolean;
  /**
   * Loads and checks the credentials again without replacing those that are held.
   *
   * @throws {CredentialsError} as `init`, and `SP_BOOTSTRAP_NOT_INITIALIZED`
   */
  reload(): Promise<CloudCredentials | undefined>;
}

/** Makes a holder. */
export function createCredentialsBootstrap(): CredentialsBootstrap {
  let held: { readonly credentials: CloudCredentials | undefined } | undefined;
  let used: CredentialsBootstrapOptions | undefined;
  let loading: Promise<CloudCredentials | undefined> | undefined;

  function load(options: CredentialsBootstrapOptions): Promise<CloudCredentials | undefined> {
    loading ??= loadChecked(options)
      .then((credentials) => {
        held ??= { credentials };
        used = options;
        return held.credentials;
      })
      .finally(() => {
        loading = undefined;
      });
    return loading;
  }

  function get(): CloudCredentials | undefined {
    if (held === undefined) throw failure('SP_BOOTSTRAP_NOT_INITIALIZED', 'they were not loaded');
    return held.credentials;
  }

  return {
    get,
    isInitialized: () => held !== undefined,
    async init(options) {
      if (held !== undefined || loading !== undefined) {
        throw failure('SP_BOOTSTRAP_ALREADY_INITIALIZED', 'they were loaded before');
      }
      return load(options);
    },
    tryInit: async (options) => (held === undefined ? load(options) : held.credentials),
    initEmpty: () => {
      held ??= { credentials: undefined };
    },
    require() {
      const credentials = get();
      if (credentials === undefined) throw failure('SP_BOOTSTRAP_NOT_AVAILABLE', 'there are none');
      return credentials;
    },
    expiresWithin(seconds) {
      const token = held?.credentials?.apiToken;
      return token !== undefined && tokenExpiresWithin(token, seconds, { now: used?.now });
    },
    async reload() {
      if (used === undefined) throw failure('SP_BOOTSTRAP_NOT_INITIALIZED', 'they were not loaded');
      return loadChecked(used);
    },
  };
}

async function loadChecked(options: CredentialsBootstrapOptions): Promise<CloudCredentials | undefined> {
  const { path, env, now, onWarning } = options;
  const found = await bootstrapCredentials(options);
  if (found === undefined) {
    if (isContainer(env)) return undefined;
    throw failure('SP_BOOTSTRAP_FILE_NOT_FOUND', `there is no ${path}`, path);
  }
  await check(found, options);
  const { credentials, source } = found;
  if (source === 'file' && tokenStatus(credentials.apiToken, { now }) === 'expires-soon') {
    onWarning?.({ type: 'expires-soon' });
  }
  return credentials;
}

async function check(found: BootstrappedCredentials, options: CredentialsBootstrapOptions): Promise<void> {
  const { env, validate, onWarning } = options;
  if (validate === undefined || (await validate(found.credentials).catch(() => false))) return;
  if (!isContainer(env)) throw failure('SP_BOOTSTRAP_VALIDATION_FAILED', 'the server does not take them');
  onWarning?.({ type: 'validation-failed' });
}

function failure(code: CredentialsError['code'], why: string, path?: string): CredentialsError {
  return new CredentialsError(code, `Cannot use the process's credentials: ${why}`, path === undefined ? {} : { path });
}
