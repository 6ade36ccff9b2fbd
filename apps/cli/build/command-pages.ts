// The command reference in docs/cli, made of the manifest: one page per topic.
import { readFileSync } from 'node:fs';
import { exitCodes } from '../src/exit-codes.ts';
import { type CommandReference, describeCommands, type FlagReference } from '../src/reference/describe-commands.ts';
import type { SideEffects } from '../src/reference/side-effects.ts';

/** What of the package's manifests is shown besides. */
interface Extras {
  readonly topics: Readonly<Record<string, { readonly description?: string }>>;
  readonly examples: Readonly<Record<string, readonly string[]>>;
}

/** Flags that every command has; they are described once. */
const shared = new Set(['--json', '--json-lines', '--non-interactive']);

/** The pages by the name of their file. */
export async function makeCommandPages(root: string): Promise<Readonly<Record<string, string>>> {
  const commands = (await describeCommands(root)).filter(({ hidden }) => !hidden);
  const extras = loadExtras(root);
  const topics = [...new Set(commands.map(({ command }) => topicOf(command)))].toSorted();
  const pages = topics.map((topic) => {
    const own = commands.filter(({ command }) => topicOf(command) === topic);
    const text = [
      `# ${topic === '' ? 'systemprompt' : `systemprompt ${topic}`}`,
      extras.topics[topic.replaceAll(' ', ':')]?.description ?? 'What is about the program itself.',
      ...own.map((command) => renderCommand(command, extras)),
    ];
    return [fileOf(topic), `${text.join('\n\n')}\n`] as const;
  });
  return Object.fromEntries([['README.md', renderIndex(commands, topics)], ...pages]);
}

function loadExtras(root: string): Extras {
  const read = (name: string): unknown => JSON.parse(readFileSync(`${root}${name}`, 'utf8'));
  const { oclif } = read('package.json') as { oclif: { topics: Extras['topics'] } };
  const { commands } = read('oclif.manifest.json') as {
    commands: Record<string, { examples?: readonly (string | { command: string })[] }>;
  };
  const examples = Object.entries(commands).map(([id, command]) => {
    const words = id.replaceAll(':', ' ');
    const lines = (command.examples ?? []).map((each) => (typeof each === 'string' ? each : each.command));
    const render = (line: string): string =>
      line.replaceAll('<%= config.bin %>', 'systemprompt').replaceAll('<%= command.id %>', words);
    return [words, lines.map(render)] as const;
  });
  return { topics: oclif.topics, examples: Object.fromEntries(examples) };
}

function topicOf(command: string): string {
  return command.split(' ').slice(0, -1).join(' ');
}

function fileOf(topic: string): string {
  return topic === '' ? 'program.md' : `${topic.replaceAll(' ', '-')}.md`;
}

function renderIndex(commands: readonly CommandReference[], topics: readonly string[]): string {
  const rows = topics.map((topic) => {
    const names = commands.filter(({ command }) => topicOf(command) === topic);
    const list = names.map(({ command }) => `\`${command.split(' ').at(-1)}\``).join(', ');
    return `| [${`systemprompt ${topic}`.trim()}](${fileOf(topic)}) | ${list} |`;
  });
  const all = commands[0]?.flags.filter(({ flag }) => shared.has(flag)) ?? [];
  const codes = Object.entries(exitCodes).map(
    ([name, code]) => `| ${code} | ${name.replaceAll(/[A-Z]/g, ' $&').toLowerCase()} |`,
  );
  return `# The commands of systemprompt

Made of the program itself; \`systemprompt commands --json\` has the same for programs, and each answer under \`--json\` is
described by a JSON Schema of \`@sp/cli/schemas\`.

| | commands |
|---|---|
${rows.join('\n')}

Every command takes:

${renderFlags(all)}

| exit code | meaning |
|---|---|
${codes.join('\n')}
`;
}

function renderCommand(command: CommandReference, { examples }: Extras): string {
  const { command: words, aliases, summary, description, args, flags, effects, exitCodes: codes, schema } = command;
  const usage = args.map(({ name, required }) => (required ? name.toUpperCase() : `[${name.toUpperCase()}]`));
  const own = flags.filter(({ flag }) => !shared.has(flag));
  const argumentRows = args.map(({ name, description: about }) => `| \`${name.toUpperCase()}\` | ${cell(about)} |`);
  const parts = [
    `## ${words}`,
    summary,
    ...(description === '' ? [] : [description]),
    `\`\`\`bash\n${(examples[words] ?? []).join('\n')}\n\`\`\``,
    ...(aliases.length === 0 ? [] : [`Also: ${aliases.map((alias) => `\`${alias}\``).join(', ')}`]),
    ...(argumentRows.length === 0
      ? []
      : [`| argument of \`${[words, ...usage].join(' ')}\` | |\n|---|---|\n${argumentRows.join('\n')}`]),
    ...(own.length === 0 ? [] : [renderFlags(own)]),
    `${renderEffects(effects)} Ends with ${codes.join(', ')}. Answer: \`${schema}\`.`,
  ];
  return parts.join('\n\n');
}

function renderFlags(flags: readonly FlagReference[]): string {
  const rows = flags.map(({ flag, char, type, summary, options, env, default: value }) => {
    const name = `\`${char === undefined ? flag : `-${char}, ${flag}`}${type === 'option' ? ` ${options?.join('|') ?? '…'}` : ''}\``;
    const preset = value === undefined || value === false ? '' : ` Without it: \`${value}\`.`;
    return `| ${cell(name)} | \`${env}\` | ${cell(summary)}${preset} |`;
  });
  return `| flag | variable | |\n|---|---|---|\n${rows.join('\n')}`;
}

function renderEffects(effects: SideEffects | undefined): string {
  if (effects === undefined) return '';
  const { network, writes, cost, reversible } = effects;
  const where = { files: 'files of the project', cloud: 'the tenant', computer: 'the local cloud of this computer' };
  const changed = writes.map((each) => where[each]).join(' and ');
  return [
    network ? 'Asks the API.' : 'Needs no network.',
    changed === '' ? 'Changes nothing.' : `Changes ${changed}${reversible ? '' : ', which cannot be undone'}.`,
    ...(cost ? ['Can cost money.'] : []),
  ].join(' ');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
