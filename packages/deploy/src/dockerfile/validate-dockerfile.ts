import type { ProjectFinding } from '../deploy-error.ts';
import { createIgnoreMatcher } from '../plan/ignore-rules.ts';
import { copyArguments, type Instruction, parseInstructions } from './instructions.ts';

/** What is wrong with a Dockerfile. */
export type DockerfileFinding = Omit<ProjectFinding, 'path'> & {
  /** `missing`: an MCP program is not copied; `stale`: one is that the project no longer has; `syntax`: no Dockerfile. */
  readonly kind: 'missing' | 'stale' | 'syntax';
  /** The program. */
  readonly binary?: string | undefined;
};

/** What the project has. */
export interface ValidateDockerfileOptions {
  /** Names of the MCP programs in `target/release` that belong in the image. */
  readonly mcpBinaries: readonly string[];
}

const instructionNames: ReadonlySet<string> = new Set(
  'ADD ARG CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL MAINTAINER ONBUILD RUN SHELL STOPSIGNAL USER VOLUME WORKDIR'.split(
    ' ',
  ),
);
const folder = 'target/release';

/**
 * Compares a Dockerfile with the MCP programs of the project. All findings at once: programs that no COPY brings along,
 * with the line to `add`, lines for programs that are gone, and what is no Dockerfile at all. Patterns and whole folders
 * are understood.
 *
 * @example
 * validateDockerfile('FROM debian\n', { mcpBinaries: ['notes-mcp'] })[0]?.add; // 'COPY target/release/notes-mcp /app/bin/'
 */
export function validateDockerfile(
  text: string,
  { mcpBinaries }: ValidateDockerfileOptions,
): readonly DockerfileFinding[] {
  const instructions = parseInstructions(text);
  const copied = instructions.filter(({ name }) => name === 'COPY' || name === 'ADD').flatMap(sourcesOf);
  const covers = createIgnoreMatcher(copied.map(({ source }) => source));
  const missing = mcpBinaries
    .filter((binary) => !covers.ignores(`${folder}/${binary}`))
    .map((binary): DockerfileFinding => {
      const add = `COPY ${folder}/${binary} /app/bin/`;
      return { kind: 'missing', problem: `does not copy ${folder}/${binary}`, binary, add };
    });
  const stale = copied.flatMap(({ source, line }): readonly DockerfileFinding[] => {
    const binary = /^target\/release\/(systemprompt-[^/*?[\]]+)$/.exec(source)?.[1];
    if (binary === undefined || mcpBinaries.includes(binary)) return [];
    return [{ kind: 'stale', problem: `copies ${source}, which the project no longer has`, binary, line }];
  });
  return [...syntaxFindings(instructions), ...missing, ...stale];
}

function sourcesOf({ rest, line }: Instruction): readonly { readonly source: string; readonly line: number }[] {
  const { sources, fromStage } = copyArguments(rest);
  if (fromStage) return [];
  return sources.map((source) => ({ source: asPattern(source), line }));
}

/** A source as an ignore pattern; what a variable holds is not known, so it may be anything. */
function asPattern(source: string): string {
  const path = source.replace(/^(?:\.?\/)+/, '').replace(/\$(?:\w+|\{[^}]*\})/g, '*');
  return path === '' || path === '.' ? '**' : path;
}

function syntaxFindings(instructions: readonly Instruction[]): readonly DockerfileFinding[] {
  const first = instructions.find(({ name }) => name !== 'ARG');
  const unknown = instructions.filter(({ name }) => !instructionNames.has(name));
  return [
    ...(first?.name === 'FROM'
      ? []
      : [{ kind: 'syntax' as const, problem: 'does not begin with FROM', line: first?.line }]),
    ...unknown.map(({ name, line }) => ({ kind: 'syntax' as const, problem: `${name} is no instruction`, line })),
  ];
}
