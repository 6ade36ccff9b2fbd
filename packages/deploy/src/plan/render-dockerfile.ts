import { builtInIgnore, secretIgnore } from './ignored-paths.ts';
import type { ImagePlan } from './image-plan.ts';

/** The folder of a staged build context that holds the plan's empty folders. */
export const skeletonFolder = '.image-directories';

/**
 * The plan as a Dockerfile, for the classic builder and for BuildKit. Sources are relative to the project, and staged
 * at the same places in the build context, with their modes: a chmod here would store the programs twice. Without
 * packages there is no RUN line, so a base needs no shell.
 */
export function renderDockerfile(plan: ImagePlan): string {
  const { base, packages, workingDir, user, port, healthCheck: check, command } = plan;
  const chown = `--chown=${user}`;
  const lines = [
    `FROM ${base}`,
    ...(packages.length > 0
      ? [
          `RUN apt-get update && apt-get install -y --no-install-recommends ${packages.join(' ')} && rm -rf /var/lib/apt/lists/*`,
          `RUN useradd -m -u ${user.split(':')[0]} app`,
          `RUN mkdir -p ${plan.directories.join(' ')} && chown -R ${user} ${workingDir}`,
        ]
      : [`COPY ${chown} ["${skeletonFolder}/", "/"]`]),
    `WORKDIR ${workingDir}`,
    ...plan.copies.map(({ source, destination, kind }) => {
      const slash = kind === 'directory' ? '/' : '';
      return `COPY ${chown} ${JSON.stringify([literal(source) + slash, dollarFree(destination) + slash])}`;
    }),
    `USER ${user}`,
    `EXPOSE ${port}`,
    `ENV ${Object.entries(plan.env)
      .map(([name, value]) => `${name}=${quoted(value)}`)
      .join(' \\\n    ')}`,
    ...Object.entries(plan.labels).map(([name, value]) => `LABEL ${name}=${quoted(value)}`),
    ...(check.command === undefined
      ? []
      : [
          `HEALTHCHECK --interval=${check.intervalSeconds}s --timeout=${check.timeoutSeconds}s ` +
            `--start-period=${check.startPeriodSeconds}s --retries=${check.retries} \\\n    CMD ${check.command}`,
        ]),
    `CMD ${JSON.stringify(command)}`,
  ];
  return `${lines.join('\n')}\n`;
}

/** The `.dockerignore` beside such a Dockerfile when the project itself is the build context. */
export function renderDockerignore(): string {
  return `${[...builtInIgnore, ...secretIgnore].join('\n')}\n`;
}

/** COPY reads its source as a pattern with variables. */
function literal(path: string): string {
  return dollarFree(path.replace(/[[*?]/g, '[$&]'));
}

function dollarFree(path: string): string {
  return path.replaceAll('$', '\\$');
}

/** `$PATH` is left to docker to expand, so a `$` stays as it is. */
function quoted(value: string): string {
  return `"${value.replace(/["\\]/g, '\\$&')}"`;
}
