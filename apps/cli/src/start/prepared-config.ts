import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command, Config } from '@oclif/core';

/** What of oclif's configuration commands use; loading the real one costs more than most commands. */
export function preparedConfig(): Config {
  const root = join(__dirname, '..');
  const pjson = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as PackageManifest;
  const { name, version, oclif } = pjson;
  const scopedEnvVarKey = (key: string): string => `${oclif.bin}_${key}`.toUpperCase();
  let manifest: CommandManifest | undefined;
  const config = {
    bin: oclif.bin,
    name,
    version,
    root,
    pjson,
    options: { root },
    topicSeparator: oclif.topicSeparator,
    userAgent: `${name}/${version} ${process.platform}-${process.arch} node-${process.version}`,
    platform: process.platform,
    arch: process.arch,
    findCommand: (id: string) => (manifest ??= readManifest(root))[id],
    runHook: async () => ({ successes: [], failures: [] }),
    scopedEnvVarKey,
    scopedEnvVarKeys: (key: string) => [scopedEnvVarKey(key)],
    scopedEnvVar: (key: string) => process.env[scopedEnvVarKey(key)],
  };
  return config as unknown as Config;
}

interface PackageManifest {
  readonly name: string;
  readonly version: string;
  readonly oclif: { readonly bin: string; readonly topicSeparator: string };
}

type CommandManifest = Readonly<Record<string, Command.Loadable | undefined>>;

/** Of every command, without loading one: for what is said of others when one has failed. */
function readManifest(root: string): CommandManifest {
  try {
    const text = readFileSync(join(root, 'oclif.manifest.json'), 'utf8');
    return (JSON.parse(text) as { readonly commands: CommandManifest }).commands;
  } catch {
    // It is not there before the first build.
    return {};
  }
}
