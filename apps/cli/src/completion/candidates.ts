import type { CommandReference, FlagReference } from '../reference/describe-commands.ts';

/** One thing that can stand where the cursor is. */
export interface Candidate {
  readonly value: string;
  readonly description: string;
}

/** Names of this project that can be completed; each is looked up only when it is needed. */
export interface CompletionNames {
  readonly tenants: () => Promise<readonly string[]>;
  readonly profiles: () => Promise<readonly string[]>;
  readonly codes: () => readonly string[];
}

/**
 * What can stand in place of the last of `words`, which may be empty. Nothing: a file name, or something that only the
 * person knows.
 */
export async function completeWords(
  words: readonly string[],
  { commands, names }: { commands: readonly CommandReference[]; names: CompletionNames },
): Promise<readonly Candidate[]> {
  const last = words.at(-1) ?? '';
  const joined = /^(--[^=]+)=(.*)$/s.exec(last);
  if (joined !== null) {
    const [, flag = '', value = ''] = joined;
    const found = await completeWords([...words.slice(0, -1), flag, value], { commands, names });
    return found.map((each) => ({ ...each, value: `${flag}=${each.value}` }));
  }
  // Bash takes `--flag=value` for three words, and replaces the third.
  const typed = last === '=' ? '' : last;
  const before = words.slice(0, -1).filter((word) => word !== '=');
  const plain = before.filter((word) => !word.startsWith('-'));
  const command = findCommand(before, commands);
  const starting = (candidates: readonly Candidate[]): readonly Candidate[] =>
    candidates.filter(({ value }) => value.startsWith(typed));
  const asking = before.at(-1);
  const flag = asking?.includes('=') ? undefined : command?.flags.find((each) => isFlag(each, asking));
  if (flag !== undefined && flag.type === 'option') return starting(await valuesOf(flag.flag, flag.options, names));
  if (command === undefined) return starting(nextWords(plain.join(' '), commands));
  if (typed.startsWith('-')) {
    const unused = command.flags.filter((each) => !before.some((word) => isFlag(each, word)));
    return starting(unused.map(({ flag: value, summary }) => ({ value, description: summary })));
  }
  const [argument] = command.args;
  const topics = nextWords(command.command, commands);
  if (argument === undefined) return starting(topics);
  return starting([...topics, ...(await valuesOf(argument.name, argument.options, names))]);
}

/** The longest command that the words begin with. */
function findCommand(words: readonly string[], commands: readonly CommandReference[]): CommandReference | undefined {
  const end = words.findIndex((word) => word.startsWith('-'));
  const leading = end === -1 ? words : words.slice(0, end);
  for (let length = leading.length; length > 0; length -= 1) {
    const name = leading.slice(0, length).join(' ');
    const found = commands.find(({ command, aliases }) => command === name || aliases.includes(name));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** What can follow these words of a command: words of commands and topics. */
function nextWords(prefix: string, commands: readonly CommandReference[]): readonly Candidate[] {
  const depth = prefix === '' ? 0 : prefix.split(' ').length;
  const found = new Map<string, string>();
  for (const { command, summary } of commands) {
    if (prefix !== '' && !command.startsWith(`${prefix} `)) continue;
    const parts = command.split(' ');
    const [word] = parts.slice(depth);
    if (word === undefined) continue;
    const whole = parts.length === depth + 1;
    if (whole || !found.has(word)) found.set(word, whole ? summary : '');
  }
  return [...found].map(([value, description]) => ({ value, description }));
}

async function valuesOf(
  name: string,
  options: readonly string[] | undefined,
  names: CompletionNames,
): Promise<readonly Candidate[]> {
  const plain = (values: readonly string[], description: string): readonly Candidate[] =>
    values.map((value) => ({ value, description }));
  if (options !== undefined) return plain(options, '');
  if (name === '--tenant' || name === '--confirm' || name === 'id') return plain(await names.tenants(), 'tenant');
  if (name === '--profile' || name === 'name') return plain(await names.profiles(), 'profile');
  if (name === '--environment' || name === 'environment') return plain(['production', 'sandbox', 'local'], 'API');
  if (name === '--to') return [...plain(await names.profiles(), 'profile'), ...plain(await names.tenants(), 'tenant')];
  return name === 'code' ? plain(names.codes(), 'error code') : [];
}

function isFlag({ flag, char }: FlagReference, word: string | undefined): boolean {
  return word === flag || word?.startsWith(`${flag}=`) === true || (char !== undefined && word === `-${char}`);
}
