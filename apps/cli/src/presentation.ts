/** What of the world decides how a command shows itself. */
export interface World {
  /** Whether each stream is a terminal. */
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Whether the result goes out as JSON. */
  readonly json: boolean;
  /** Whether `--non-interactive` was given. */
  readonly refused: boolean;
}

/** How a command shows itself. */
export interface Presentation {
  /** Whether a person can be asked: there is a terminal on both sides, and nothing says that nobody is there. */
  readonly prompts: boolean;
  /** Whether somebody reads what is said and can answer elsewhere, as in a browser, under `--json` too. */
  readonly attended: boolean;
  /** Whether lines may be drawn again: stderr is a terminal that can, and somebody looks at it. */
  readonly animation: boolean;
}

/** The one place that decides whether people are asked and what moves on their screen. */
export function decidePresentation({ stdin, stdout, stderr, env, json, refused }: World): Presentation {
  const refuses = refused || isSet(env, 'SYSTEMPROMPT_NON_INTERACTIVE');
  const able = !isSet(env, 'CI') && env['TERM'] !== 'dumb' && !json;
  return {
    prompts: stdin && stdout && able && !refuses,
    attended: stdin && stderr && !refuses && !isSet(env, 'CI'),
    animation: stderr && able,
  };
}

/** What a question for yes or no comes to. */
export type Confirmation = 'given' | 'ask' | 'input-needed';

/** Whether a confirmation is asked for, was given with `--yes`, or is missing. */
export function decideConfirmation({ prompts, yes }: { prompts: boolean; yes: boolean }): Confirmation {
  if (yes) return 'given';
  return prompts ? 'ask' : 'input-needed';
}

/**
 * How a login reaches the person: a browser on this computer, a code for a browser anywhere, or not at all. A browser
 * that is named goes before everything; one that would open where nobody sits is no use.
 */
export type LoginTransport = 'browser' | 'device' | 'none';

/** How to log in when no flag says it. */
export function decideLoginTransport(world: {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
  readonly container: boolean;
  /** See {@link Presentation.attended}. */
  readonly attended: boolean;
  /** Whether `--non-interactive` was given. */
  readonly refused: boolean;
}): LoginTransport {
  const { env, platform, container, attended, refused } = world;
  if (refused || isSet(env, 'SYSTEMPROMPT_NON_INTERACTIVE')) return 'none';
  if (env['BROWSER']?.trim()) return 'browser';
  if (!attended) return 'none';
  const some = (...names: readonly string[]): boolean => names.some((name) => Boolean(env[name]));
  const remote = some('SSH_CONNECTION', 'SSH_CLIENT', 'SSH_TTY');
  const wsl = some('WSL_DISTRO_NAME', 'WSL_INTEROP');
  const inContainer = container || some('container', 'KUBERNETES_SERVICE_HOST', 'REMOTE_CONTAINERS', 'CODESPACES');
  const screenless = platform === 'linux' && !some('DISPLAY', 'WAYLAND_DISPLAY');
  return remote || wsl || inContainer || screenless ? 'device' : 'browser';
}

/** Whether a person sees a notice of a newer version here, and wants one. */
export function wantsUpdateNotice(world: {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly terminal: boolean;
  readonly json: boolean;
}): boolean {
  const { env, terminal, json } = world;
  const off = ['CI', 'SYSTEMPROMPT_NO_UPDATE_NOTICE', 'NO_UPDATE_NOTIFIER'].some((name) => isSet(env, name));
  return terminal && !json && !off;
}

/** Whether a variable says yes: `0`, `false` and nothing do not. */
export function isSet(env: Readonly<Record<string, string | undefined>>, name: string): boolean {
  return !['', '0', 'false'].includes(env[name]?.toLowerCase() ?? '');
}
