import { basename } from 'node:path';

/** What differs between the programs that understand docker's commands. */
export interface EngineDialect {
  /** Arguments after which the program says its engine's version, and fails without an engine. */
  readonly version: readonly string[];
  /** Options of `build`. */
  readonly build: readonly string[];
  /** Options of the program for a registry without TLS. */
  readonly global: (insecure: boolean) => readonly string[];
  /** Options of `login` and `push` for a registry without TLS. */
  readonly registry: (insecure: boolean) => readonly string[];
  /** Option of `push` that makes it write the digest to a file, where there is one. */
  readonly digestFile: string | undefined;
}

const none = (): readonly string[] => [];

const docker: EngineDialect = {
  version: ['version', '--format', '{{.Server.Version}}'],
  build: [],
  global: none,
  registry: none,
  digestFile: undefined,
};

/** Needs no engine, and would leave the health check out of its own image format. */
const podman: EngineDialect = {
  version: ['version', '--format', '{{.Client.Version}}'],
  build: ['--format', 'docker'],
  global: none,
  registry: (insecure) => (insecure ? ['--tls-verify=false'] : []),
  digestFile: '--digestfile',
};

const nerdctl: EngineDialect = {
  ...docker,
  version: ['version', '--format', '{{(index .Server.Components 0).Version}}'],
  global: (insecure) => (insecure ? ['--insecure-registry'] : []),
};

/** How to speak to a program: by its name, docker when it is none that is known. */
export function engineDialect(binary: string): EngineDialect {
  const name = basename(binary).replace(/\.exe$/i, '');
  if (name.startsWith('podman')) return podman;
  return name.startsWith('nerdctl') ? nerdctl : docker;
}

/** Whether a registry is on this computer, where nobody has certificates. */
export function isInsecureRegistry(registry: string): boolean {
  const host = registry.replace(/:\d+$/, '');
  return host === 'localhost' || host.endsWith('.localhost') || host === '[::1]' || /^127(?:\.\d+){3}$/.test(host);
}
