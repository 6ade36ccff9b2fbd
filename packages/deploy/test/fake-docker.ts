import { chmod, readFile, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { temporaryFolder } from './fixture-project.ts';

export interface DockerCall {
  readonly args: readonly string[];
  readonly config: string | undefined;
  readonly host: string | undefined;
  readonly input: string;
  /** Files of the build context with their modes. */
  readonly files: readonly string[];
}

/** A program for the front of PATH that writes down how it was called; `script` is what it then does. */
export async function fakeDocker(
  script = '',
  name = 'docker',
): Promise<{ readonly env: Record<string, string>; calls(): Promise<readonly DockerCall[]> }> {
  const folder = await temporaryFolder();
  const log = join(folder, 'calls.jsonl');
  const source = `#!${process.execPath}
const fs = require('node:fs'), path = require('node:path');
const args = process.argv.slice(2);
const command = args[0];
const walk = (at) => fs.readdirSync(at, { withFileTypes: true }).flatMap((entry) => entry.isDirectory()
  ? walk(path.join(at, entry.name))
  : [(fs.lstatSync(path.join(at, entry.name)).mode & 0o777).toString(8) + ' ' + path.join(at, entry.name)]);
const context = args.at(-1);
const files = args.includes('build') ? walk(context).map((line) => line.replace(context + '/', '')) : [];
const input = args.includes('--password-stdin') ? fs.readFileSync(0, 'utf8') : '';
fs.appendFileSync(${JSON.stringify(log)}, JSON.stringify({ args, config: process.env.DOCKER_CONFIG, host: process.env.DOCKER_HOST, input, files }) + '\\n');
if (command === 'version') console.log('20.10.24');
if (command === 'context') console.log('unix:///run/fake.sock');
${script}
`;
  const program = join(folder, name);
  await writeFile(program, source);
  await chmod(program, 0o755);
  const path = [folder, dirname(process.execPath), '/usr/bin', '/bin'].join(delimiter);
  return {
    env: { PATH: path },
    calls: async () =>
      (await readFile(log, 'utf8'))
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as DockerCall),
  };
}
