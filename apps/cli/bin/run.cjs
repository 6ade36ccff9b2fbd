#!/usr/bin/env node
'use strict';
// The entry, and the only place that is about speed: `--version` and help are answered from prepared text, a known
// command runs from one bundle with V8's code cache, and everything else goes the ordinary oclif way of run.js.
const { readFileSync, writeSync } = require('node:fs');
const { join } = require('node:path');

const dist = join(__dirname, '..', 'dist');
const argv = ordered(process.argv.slice(2));
/** What is asked of this program; behind `--` is what it is to work on. */
const own = argv.includes('--') ? argv.slice(0, argv.indexOf('--')) : argv;

/** Flags of every command may stand in front of one. */
function ordered(words) {
  const first = words.findIndex(
    (word) => !['--json', '--json-lines', '--non-interactive', '--no-color'].includes(word),
  );
  if (first < 1 || words[first].startsWith('-')) return words;
  const rest = words.slice(first);
  const end = rest.findIndex((word) => word.startsWith('-'));
  const command = end === -1 ? rest : rest.slice(0, end);
  return [...command, ...words.slice(0, first), ...rest.slice(command.length)];
}

/** What earlier versions called differently, as the libraries that look for it know it. */
function translate() {
  const { env } = process;
  const at = own.indexOf('--no-color');
  if (at !== -1) {
    own.splice(at, 1);
    if (own !== argv) argv.splice(at, 1);
  }
  if (at !== -1 || !['', '0', 'false'].includes((env.SYSTEMPROMPT_NO_COLOR || '').toLowerCase())) {
    env.NO_COLOR = '1';
    delete env.FORCE_COLOR;
  }
  if ((env.SYSTEMPROMPT_OUTPUT_FORMAT || '').toLowerCase() === 'json') env.SYSTEMPROMPT_CONTENT_TYPE = 'json';
  process.argv.splice(2, Infinity, ...argv);
}

function prepared(name) {
  try {
    return JSON.parse(readFileSync(join(dist, name), 'utf8'));
  } catch {
    // Not built, or half installed: the ordinary way says what is missing.
    return undefined;
  }
}

/** Help as it was rendered at build time for 80 columns; a narrower terminal, and forced colour, get theirs made. */
function preparedHelp() {
  const { columns } = process.stdout.isTTY ? process.stdout : { columns: 80 };
  if (columns < 80 || process.env.FORCE_COLOR || process.env.OCLIF_COLUMNS) return undefined;
  const words = own.filter((word) => word !== '--help' && word !== '-h');
  const asked = own.length - words.length === 1 || argv.length === 0;
  if (!asked || words.some((word) => word.startsWith('-'))) return undefined;
  return prepared('help.json')?.[words.join(' ')];
}

function print(text) {
  // Everything at once and without the streams, whose making costs more than the writing; a pipe may take less.
  const bytes = Buffer.from(text);
  for (let done = 0; done < bytes.length; ) {
    try {
      done += writeSync(1, bytes, done);
    } catch (error) {
      if (error.code === 'EPIPE') return;
      if (error.code === 'EAGAIN') continue;
      process.stderr.write(`\u2717 Cannot write: ${error.code}\n  SP_CLI_SYSTEM\n`);
      process.exitCode = 1;
      return;
    }
  }
}

function start() {
  if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-v')) {
    const { name, version } = prepared('../package.json');
    return print(`${name}/${version} ${process.platform}-${process.arch} node-${process.version}\n`);
  }
  const helped = own.includes('--help') || own.includes('-h');
  const help = helped || argv.length === 0 ? preparedHelp() : undefined;
  if (help !== undefined) return print(help);
  const found = helped ? undefined : findCommand(prepared('commands.json'));
  if (found === undefined) return import('./run.js');
  const { runBundle } = require('./code-cache.cjs');
  const { runCommand } = runBundle(join(dist, 'start.cjs'), found);
  return runCommand(found).then(() => import('./run.js'));
}

/** The longest run of leading words that is a command or an alias of one. */
function findCommand(commands) {
  const end = argv.findIndex((word) => word.startsWith('-'));
  const words = end === -1 ? argv : argv.slice(0, end);
  if (commands === undefined) return undefined;
  for (let length = words.length; length > 0; length -= 1) {
    const name = words.slice(0, length).join(':');
    if (Object.hasOwn(commands.ids, name)) {
      return { id: commands.ids[name], argv: argv.slice(length), hash: commands.hash };
    }
  }
  return undefined;
}

translate();
start();
