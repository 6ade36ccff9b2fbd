import type { CloudApiClient } from '@sp/cloud-api';
import type { CloudCredentials } from '@sp/credentials';
import { discoverProjectContext, type ProjectContext } from '@sp/paths';
import { cyan, dim, yellow } from 'ansis';
import { renewToken } from './auth/renew-token.ts';
import { openBrowser } from './browser.ts';
import { CliError } from './cli-error.ts';
import { createHttpFetch } from './http-fetch.ts';
import type { CommandEvent } from './output/command-event.ts';
import { type AwaitedParty, createWaitNotice } from './output/wait-notice.ts';
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
  /** Whether somebody reads along and can answer elsewhere, see `Presentation`. @defaultValue as `interactive` */
  readonly attended?: boolean | undefined;
  /** Whether lines on stderr may be drawn again. */
  readonly animation: boolean;
  /** Tells programs what goes on, with `--json-lines`. @defaultValue nobody listens */
  readonly emit?: ((event: CommandEvent) => void) | undefined;
  /** Writes to stderr. */
  readonly write: (text: string) => void;
  readonly signal: AbortSignal;
  /** Runs work that must not be interrupted. @defaultValue it is just run */
  readonly hold?: (<T>(work: () => Promise<T>) => Promise<T>) | undefined;
  /** Everything that comes in on stdin. */
  readonly readStdin: () => Promise<string>;
  /** @defaultValue one over node:http, see `createHttpFetch` */
  readonly fetch?: typeof globalThis.fetch | undefined;
}

/** What commands work with. Nothing is read, opened or connected before it is asked for. */
export interface Context {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly interactive: boolean;
  readonly attended: boolean;
  readonly signal: AbortSignal;
  /** Runs work whose end must be waited for even after a Ctrl-C, because its answer is the only copy of something. */
  hold<T>(work: () => Promise<T>): Promise<T>;
  readonly progress: Progress;
  /** One event for programs, see `--json-lines`. */
  emit(event: CommandEvent): void;
  /** What this program is called on a command line. */
  readonly bin: string;
  /** All of stdin as text. Only for those who asked for it: without an end of input it never ends. */
  readStdin(): Promise<string>;
  /** One line on stderr that is needed to go on, also under `--json`. */
  notice(text: string): void;
  /** One line on stderr: it worked, but not as expected. */
  warn(text: string): void;
  /** Waits for an answer of `whom`, such as a host; a terminal is told when there is none for two seconds. */
  awaitAnswer<T>(whom: AwaitedParty, work: () => Promise<T>): Promise<T>;
  /** Shows a page; the URL is always on stderr too, because there may be no browser here. */
  openBrowser(url: string): Promise<void>;
  /** The project around the current folder; without one, the folder itself, see {@link Context.requireProject}. */
  readonly project: ProjectContext;
  /** @throws {CliError} `SP_CLI_NO_PROJECT` */
  requireProject(): ProjectContext;
  /**
   * Who is logged in: `SYSTEMPROMPT_API_TOKEN`, else the project's credentials, renewed when they are about to expire.
   *
   * @throws {CliError} `SP_CLI_NOT_LOGGED_IN`
   * @throws {CredentialsError} when the stored ones are expired or unreadable
   */
  credentials(): Promise<{ credentials: CloudCredentials; source: 'environment' | 'file' }>;
  /** The Management API as the person who is logged in. */
  api(): Promise<CloudApiClient>;
  /** The Management API at `environment`, as the owner of `token` if given. */
  apiAt(environment: string, token?: string | (() => Promise<string>)): Promise<CloudApiClient>;
}

/** The only place where commands get their effects from. */
export function createContext(options: ContextOptions): Context {
  const { cwd, env, json, write } = options;
  const { emit = () => undefined, hold = (work) => work() } = options;
  const progress = createProgress({ write, animation: () => options.animation, silent: json, emit });
  const awaitAnswer = createWaitNotice({
    tell: (whom) => (options.animation ? progress.print(dim(`Waiting for an answer of ${whom}`)) : undefined),
  });
  const send = options.fetch ?? createHttpFetch();
  const fetch: typeof send = (input, init) =>
    awaitAnswer(
      () => hostOf(input),
      () => send(input, init),
    );
  const project = discoverProjectContext({ from: cwd });

  const path = project.localCredentials;
  const nobody = (): CliError =>
    new CliError('SP_CLI_NOT_LOGGED_IN', `Nobody is logged in for ${project.root}`, { directory: project.root });
  const credentials: Context['credentials'] = async () => {
    const { bootstrapCredentials, loadCredentials } = await import('@sp/credentials');
    // The file is read here instead of by the bootstrap, which refuses a token that can still be renewed.
    if (env['SYSTEMPROMPT_API_TOKEN'] || env['FLY_APP_NAME'] !== undefined) {
      const found = await bootstrapCredentials({ path, env });
      if (found !== undefined) return found;
      throw nobody();
    }
    const stored = await loadCredentials(path);
    if (stored === undefined) throw nobody();
    return { credentials: { ...stored, apiToken: await (await tokenSource())() }, source: 'file' };
  };
  const tokenSource = async (): Promise<() => Promise<string>> => {
    const { createTokenSource } = await import('@sp/credentials');
    return createTokenSource({ path, signal: options.signal, exchange: (request) => renewToken(request, apiAt) });
  };
  const apiAt: Context['apiAt'] = async (environment, token) => {
    const { createCloudApiClient } = await import('@sp/cloud-api');
    return createCloudApiClient({ environment, token, fetch, userAgent: `systemprompt-cli/${options.version}` });
  };

  return {
    cwd,
    env,
    // Not taken apart above: finding out costs time, and not every command asks.
    get interactive() {
      return options.interactive;
    },
    get attended() {
      return options.attended ?? options.interactive;
    },
    get signal() {
      return options.signal;
    },
    hold,
    bin: 'systemprompt',
    readStdin: options.readStdin,
    progress,
    emit,
    awaitAnswer,
    notice: progress.print,
    warn: (text) => {
      emit({ type: 'warning', message: text });
      progress.print(`${yellow('!')} ${text}`);
    },
    openBrowser: async (url) => {
      emit({ type: 'visit', url });
      progress.print(`If no browser opens, visit:\n  ${cyan(url)}`);
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
      const { credentials: found, source } = await credentials();
      return apiAt(found.apiUrl, source === 'file' ? await tokenSource() : found.apiToken);
    },
    apiAt,
  };
}

/** Where a request goes. */
export function hostOf(input: Parameters<typeof globalThis.fetch>[0]): string {
  return new URL(typeof input === 'string' || input instanceof URL ? input : input.url).host;
}
