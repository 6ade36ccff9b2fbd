import type { CloudApiClient } from '@sp/cloud-api';
import type { CloudCredentials } from '@sp/credentials';
import { discoverProjectContext, type ProjectContext } from '@sp/paths';
import { cyan, yellow } from 'ansis';
import { openBrowser } from './browser.ts';
import { CliError } from './cli-error.ts';
import { createHttpFetch } from './http-fetch.ts';
import { createProgress, type Progress } from './progress.ts';

/** The world around one run of a command. */
export interface ContextOptions {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly version: string;
  /** Whether the result goes out as one JSON document. */
  readonly json: boolean;
  /** Whether a person can be asked. */
  readonly interactive: boolean;
  /** Whether stderr is a terminal. */
  readonly terminal: boolean;
  /** Writes to stderr. */
  readonly write: (text: string) => void;
  readonly signal: AbortSignal;
  /** @defaultValue one over node:http, see `createHttpFetch` */
  readonly fetch?: typeof globalThis.fetch | undefined;
}

/** What commands work with. Nothing is read, opened or connected before it is asked for. */
export interface Context {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly interactive: boolean;
  readonly signal: AbortSignal;
  readonly progress: Progress;
  /** One line on stderr that is needed to go on, also under `--json`. */
  notice(text: string): void;
  /** One line on stderr: it worked, but not as expected. */
  warn(text: string): void;
  /** Shows a page; the URL is always on stderr too, because there may be no browser here. */
  openBrowser(url: string): Promise<void>;
  /** The project around the current folder; without one, the folder itself, see {@link Context.requireProject}. */
  readonly project: ProjectContext;
  /** @throws {CliError} `SP_CLI_NO_PROJECT` */
  requireProject(): ProjectContext;
  /**
   * Who is logged in: `SYSTEMPROMPT_API_TOKEN`, else the project's credentials.
   *
   * @throws {CliError} `SP_CLI_NOT_LOGGED_IN`
   * @throws {CredentialsError} when the stored ones are expired or unreadable
   */
  credentials(): Promise<{ credentials: CloudCredentials; source: 'environment' | 'file' }>;
  /** The Management API as the person who is logged in. */
  api(): Promise<CloudApiClient>;
  /** The Management API at `environment`, as the owner of `token` if given. */
  apiAt(environment: string, token?: string): Promise<CloudApiClient>;
}

/** The only place where commands get their effects from. */
export function createContext(options: ContextOptions): Context {
  const { cwd, env, json, interactive, terminal, write, signal, fetch = createHttpFetch(env) } = options;
  const line = (text: string): void => write(`${text}\n`);
  const project = discoverProjectContext({ from: cwd });

  const credentials: Context['credentials'] = async () => {
    const { bootstrapCredentials } = await import('@sp/credentials');
    const found = await bootstrapCredentials({ path: project.localCredentials, env });
    if (found !== undefined) return found;
    throw new CliError('SP_CLI_NOT_LOGGED_IN', `Nobody is logged in for ${project.root}`, { directory: project.root });
  };
  const apiAt: Context['apiAt'] = async (environment, token) => {
    const { createCloudApiClient } = await import('@sp/cloud-api');
    return createCloudApiClient({ environment, token, fetch, userAgent: `systemprompt-cli/${options.version}` });
  };

  return {
    cwd,
    env,
    interactive,
    signal,
    progress: createProgress({ write, terminal, silent: json }),
    notice: line,
    warn: (text) => line(`${yellow('!')} ${text}`),
    openBrowser: async (url) => {
      line(`If no browser opens, visit:\n  ${cyan(url)}`);
      await openBrowser(url, env);
    },
    project,
    requireProject: () => {
      if (project.exists('root')) return project;
      throw new CliError('SP_CLI_NO_PROJECT', `${cwd} is not in a SystemPrompt project: no .systemprompt folder`, {
        directory: cwd,
      });
    },
    credentials,
    api: async () => {
      const { apiUrl, apiToken } = (await credentials()).credentials;
      return apiAt(apiUrl, apiToken);
    },
    apiAt,
  };
}
