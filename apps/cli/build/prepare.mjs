// Writes what bin/run.cjs answers from: dist/commands.json (ids and aliases) and dist/help.json (help for 80 columns).
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { Config, Help } from '@oclif/core';

process.env.OCLIF_COLUMNS = '80';
process.env.NO_COLOR = '1';
const root = fileURLToPath(new URL('..', import.meta.url));
const load = () => Config.load({ root });
const { topics } = await load();
// Not oclif's list of commands: that has each alias as one more command.
const { commands } = JSON.parse(readFileSync(`${root}oclif.manifest.json`, 'utf8'));
const ids = {};
for (const [id, { aliases }] of Object.entries(commands)) for (const name of [id, ...aliases]) ids[name] = id;

class Recorder extends Help {
  text = '';
  log(...parts) {
    this.text += `${parts.join(' ')}\n`;
  }
}

const help = {};
for (const id of ['', ...topics.map(({ name }) => name), ...new Set(Object.values(ids))]) {
  // One for each: showing help renames the commands of its configuration.
  const config = await load();
  const recorder = new Recorder(config, config.pjson.oclif.helpOptions ?? {});
  await recorder.showHelp(id === '' ? [] : [id]);
  help[id.replaceAll(':', ' ')] = stripVTControlCharacters(recorder.text);
}

// Builtins that a command may never need are loaded when something of them is. Only those imported by name: they are
// looked at where they are used.
const start = readFileSync(`${root}dist/start.cjs`, 'utf8').replaceAll(
  /=\s*require\("(node:(?:child_process|crypto|perf_hooks|readline|zlib|worker_threads))"\)/g,
  '=__lazy("$1")',
);
writeFileSync(`${root}dist/start.cjs`, start);

const hash = createHash('sha256').update(start).digest('hex').slice(0, 16);
writeFileSync(`${root}dist/help.json`, JSON.stringify(help));
writeFileSync(`${root}dist/commands.json`, JSON.stringify({ hash, ids }));
