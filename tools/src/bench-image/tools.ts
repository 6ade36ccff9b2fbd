import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { projectFolders } from './project.ts';

const run = promisify(execFile);

/** Where a build takes its input from and puts its result. */
export interface BuildTarget {
  readonly project: string;
  /** A folder of this tool's own. */
  readonly work: string;
  /** `127.0.0.1:<port>`. */
  readonly registry: string;
  /** Whether nothing of an earlier build may be used. */
  readonly cold: boolean;
}

/** One way to build a project's image and push it. */
export interface BenchTool {
  readonly name: string;
  /** Removes everything that earlier builds made, except what others may share. */
  reset(target: BuildTarget): Promise<void>;
  /** Builds and pushes. */
  build(target: BuildTarget): Promise<void>;
}

export const toolNames = ['oci', 'buildkit', 'buildkit-layered', 'classic', 'buildah'] as const;

/** The tools of these names that this computer has; the others are named in `missing`. */
export async function findTools(
  program: string,
  names: readonly string[],
): Promise<{ readonly tools: readonly BenchTool[]; readonly missing: readonly string[] }> {
  // The distribution's own client has BuildKit built in; others need a plugin, and silently do without.
  const docker = existsSync('/usr/bin/docker') ? '/usr/bin/docker' : 'docker';
  const known: readonly (BenchTool & { readonly present: () => Promise<boolean> })[] = [
    { ...ownTool(program), present: () => Promise.resolve(true) },
    ...[
      dockerTool('buildkit', docker, { buildkit: true, layered: false }),
      dockerTool('buildkit-layered', docker, { buildkit: true, layered: true }),
      dockerTool('classic', docker, { buildkit: false, layered: false }),
    ].map((tool) => ({ ...tool, present: () => answers(docker, ['info']) })),
    { ...buildahTool(), present: () => answers('buildah', ['--version']) },
  ];
  const tools: BenchTool[] = [];
  const missing: string[] = [];
  for (const name of names) {
    const tool = known.find((candidate) => candidate.name === name);
    if (tool !== undefined && (await tool.present())) tools.push(tool);
    else missing.push(name);
  }
  return { tools, missing };
}

function ownTool(program: string): BenchTool {
  return {
    name: 'oci',
    reset: ({ work }) => rm(join(work, 'cache'), { recursive: true, force: true }),
    async build({ project, work, registry }) {
      await run(process.execPath, [program, 'build-push', project, join(work, 'cache'), registry], {
        env: environment(),
      });
    },
  };
}

function dockerTool(
  name: string,
  docker: string,
  { buildkit, layered }: { readonly buildkit: boolean; readonly layered: boolean },
): BenchTool {
  const env = environment({ DOCKER_BUILDKIT: buildkit ? '1' : '0' });
  const made = new Set<string>();
  return {
    name,
    async reset() {
      for (const id of made) await run(docker, ['image', 'rm', '-f', id], { env }).catch(() => {});
      made.clear();
    },
    async build({ project, work, registry, cold }) {
      const file = join(work, 'Dockerfile');
      await writeFile(file, dockerfile(layered));
      // The engine's cache is not emptied: other builds may be using it. It is not looked at, and the folder is one that
      // it has never seen. The classic builder starts from nothing every time, as the predecessor has it.
      const cache = buildkit && !cold ? [] : ['--no-cache'];
      const args = ['build', '-q', ...cache, '-t', imageName(registry), '-f', file, project];
      made.add((await run(docker, args, { env })).stdout.trim());
      await run(docker, ['push', '-q', imageName(registry)], { env });
    },
  };
}

function buildahTool(): BenchTool {
  const env = environment();
  return {
    name: 'buildah',
    async reset({ registry }) {
      await run('buildah', ['rmi', '-f', imageName(registry)], { env }).catch(() => {});
    },
    async build({ project, work, registry, cold }) {
      const file = join(work, 'Dockerfile');
      await writeFile(file, dockerfile(false));
      const cache = cold ? ['--no-cache'] : [];
      await run('buildah', ['bud', '--layers', ...cache, '-q', '-t', imageName(registry), '-f', file, project], {
        env,
      });
      await run('buildah', ['push', '-q', '--tls-verify=false', imageName(registry)], { env });
    },
  };
}

function dockerfile(layered: boolean): string {
  const copies = layered ? projectFolders.map(([folder]) => `COPY ${folder} /app/${folder}`) : ['COPY . /app'];
  return ['FROM scratch', ...copies, 'CMD ["/app/bin/server"]', ''].join('\n');
}

function imageName(registry: string): string {
  return `${registry}/bench/app:latest`;
}

/** Certificates that are read at every start of Node would hide what is measured. */
function environment(added: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const { NODE_EXTRA_CA_CERTS: _, ...env } = process.env;
  return { ...env, ...added };
}

async function answers(command: string, args: string[]): Promise<boolean> {
  return run(command, args, { timeout: 20_000 }).then(
    () => true,
    () => false,
  );
}
