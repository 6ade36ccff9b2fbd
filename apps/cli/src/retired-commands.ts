import { CliError } from './cli-error.ts';

/** Commands of earlier versions that have no successor of the same meaning: what to do instead. */
const retired: Readonly<Record<string, { readonly reason: string; readonly next: readonly string[] }>> = {
  'cloud sync admin-user': {
    reason: "a tenant's users are its own server's, which makes them when they log in to it",
    next: ['systemprompt cloud open', 'systemprompt cloud db query "select …"'],
  },
  'cloud sync local skills': {
    reason: 'skills are files of the project, and travel with all others',
    next: ['systemprompt cloud sync status'],
  },
  'cloud db execute': {
    reason: 'a query may change something when it is told to',
    next: ['systemprompt cloud db query "update …" --write'],
  },
  'cloud db migrate': {
    reason: "a tenant's server migrates its database when it starts",
    next: ['systemprompt cloud restart', 'systemprompt cloud logs'],
  },
  ...Object.fromEntries(
    ['describe', 'count', 'indexes', 'size', 'info', 'status', 'validate'].map((name) => [
      `cloud db ${name}`,
      {
        reason: 'tables shows what there is, and a query the rest',
        next: ['systemprompt cloud db tables', 'systemprompt cloud db shell'],
      },
    ]),
  ),
};

/** The error for a command line of an earlier version; `undefined` for every other one. */
export function retiredCommand(typed: string): CliError | undefined {
  const found = Object.entries(retired).find(([name]) => typed === name || typed.startsWith(`${name} `));
  if (found === undefined) return undefined;
  const [name, { reason, next }] = found;
  return new CliError('SP_CLI_UNKNOWN_COMMAND', `There is no \`${name}\` any more: ${reason}`, { next });
}
