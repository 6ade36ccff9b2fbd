import { CliError } from './cli-error.ts';
import { didYouMean } from './did-you-mean.ts';

/** What a command knows of its flags. */
export type KnownFlags = Readonly<
  Record<string, { readonly aliases?: readonly string[]; readonly allowNo?: boolean; readonly char?: string }>
>;

/** The error for flags that a command does not have, with what was most likely meant; `undefined` for other errors. */
export function unknownFlags(error: unknown, known: KnownFlags): CliError | undefined {
  if (!(error instanceof Error) || !('flags' in error) || !/^Nonexistent flags?: /.test(error.message))
    return undefined;
  const names = Object.entries(known).flatMap(([name, { aliases = [], allowNo = false }]) => [
    ...[name, ...aliases].map((each) => `--${each}`),
    ...(allowNo ? [`--no-${name}`] : []),
  ]);
  const all = [...names, '--json', '--help'];
  const sentences = (error.flags as readonly string[]).map((typed) => {
    // What follows may be a secret.
    const [flag = ''] = typed.split('=');
    const gone = retiredFlag(flag, known);
    if (gone !== undefined) return gone;
    const meant = flag.startsWith('--') ? didYouMean(flag, all) : undefined;
    return `there is no flag ${flag}${meant === undefined ? '' : `; did you mean ${meant}?`}`;
  });
  const text = sentences.join('; ');
  return new CliError('SP_CLI_USAGE', `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`);
}

const quiet = 'what is not the result goes to stderr';
const loud = 'everything is told; a defect shows where it is under DEBUG=1';
const filter = 'take what you need of --json';
const key = (name: string): string =>
  `a key is not given on the command line; set it afterwards with cloud profile edit --set-${name} -`;

/** Flags of earlier versions, and what there is instead. */
const retired: Readonly<Record<string, string>> = {
  '--filter': filter,
  '-f': filter,
  '--yaml': '--json is what programs read',
  '--quiet': quiet,
  '-q': quiet,
  '--verbose': loud,
  '-v': loud,
  '--debug': loud,
  '--database-url': 'a command takes the database of its --profile or --tenant',
  '--force': 'it did nothing; where both sides changed a file, --ours, --theirs or --keep-both decides',
  '--tenant-type': 'the tenant knows it',
  '--anthropic-key': key('anthropic-key'),
  '--openai-key': key('openai-key'),
  '--gemini-key': key('gemini-key'),
  '--github-token': key('github-token'),
};

/** What took the place of a flag of earlier versions. */
function retiredFlag(flag: string, known: KnownFlags): string | undefined {
  const isSync = Object.hasOwn(known, 'keep-both');
  const instead = isSync && flag === '-f' ? retired['--force'] : retired[flag];
  const isMeant = flag !== '--force' || isSync;
  if (instead !== undefined && isMeant) return `there is no flag ${flag} any more: ${instead}`;
  if ((flag === '--yes' || flag === '-y') && Object.hasOwn(known, 'confirm')) {
    return `${flag} is not enough for what cannot be brought back: it is --confirm with the name now`;
  }
  return undefined;
}
