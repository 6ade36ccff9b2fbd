import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { planImage, renderDockerfile, resolveBuilder, validateDockerfile } from '../src/index.ts';
import { fakeDocker } from './fake-docker.ts';
import { fixtureProject, temporaryFolder, writeFiles } from './fixture-project.ts';

const dockerfile = '.systemprompt/profiles/production/docker/Dockerfile';

/** What the predecessor makes of the fixture, with its comments and its way to break lines. */
const predecessors = `# Generated
FROM debian:bookworm-slim

# Install runtime dependencies
RUN apt-get update && apt-get install -y \\
    ca-certificates \\
    curl \\
    libssl3 libpq5 lsof \\
    && rm -rf /var/lib/apt/lists/*
RUN useradd -m -u 1000 app
WORKDIR /app
RUN mkdir -p /app/bin /app/logs /app/storage/files/images /app/web

COPY target/release/systemprompt /app/bin/
# Copy MCP server binaries
COPY target/release/old-mcp /app/bin/
COPY storage /app/storage
COPY web/dist /app/web/dist
COPY extensions/mcp/notes /app/extensions/mcp/notes
COPY services /app/services
COPY .systemprompt/profiles /app/services/profiles

RUN chmod +x /app/bin/* && chown -R app:app /app
USER app
EXPOSE 8080
ENV HOST=0.0.0.0 \\
    PORT=8080 \\
    RUST_LOG=info \\
    PATH="/app/bin:$PATH" \\
    SYSTEMPROMPT_PROFILE=/app/services/profiles/production/profile.yaml \\
    SYSTEMPROMPT_SERVICES_PATH=/app/services \\
    SYSTEMPROMPT_TEMPLATES_PATH=/app/services/web/templates \\
    SYSTEMPROMPT_ASSETS_PATH=/app/services/web/assets
HEALTHCHECK --interval=30s --timeout=10s --start-period=10s --retries=3 \\
    CMD curl -f http://localhost:8080/api/v1/health || exit 1
CMD ["/app/bin/systemprompt", "infra", "services", "serve", "--foreground"]
`;

async function planWith(text: string) {
  const projectRoot = await fixtureProject();
  await writeFiles(projectRoot, { [dockerfile]: text });
  return planImage({ projectRoot, profileName: 'production' });
}

test('missing and stale programs are told at once, with the line to add', () => {
  const text = [
    'FROM debian:bookworm-slim',
    '# COPY target/release/commented-mcp /app/bin/',
    'COPY target/release/systemprompt /app/bin/',
    'COPY --chown=1000:1000 ["target/release/systemprompt-gone", "/app/bin/"]',
    'COPY target/release/notes-mcp-old \\',
    '     target/release/other-gone /app/bin/',
    'COPY --from=build target/release/staged-mcp /app/bin/',
  ].join('\r\n');
  const mcpBinaries = ['notes-mcp', 'commented-mcp', 'staged-mcp'];
  expect(validateDockerfile(text, { mcpBinaries })).toEqual([
    ...mcpBinaries.map((binary) => ({
      kind: 'missing',
      binary,
      problem: `does not copy target/release/${binary}`,
      add: `COPY target/release/${binary} /app/bin/`,
    })),
    {
      kind: 'stale',
      binary: 'systemprompt-gone',
      line: 4,
      problem: 'copies target/release/systemprompt-gone, which the project no longer has',
    },
  ]);
});

test.each([
  ['the program', 'COPY target/release/notes-mcp /app/bin/'],
  ['from here', 'COPY ./target/release/notes-mcp /app/bin/'],
  ['several', 'ADD target/release/systemprompt target/release/notes-mcp /app/bin/'],
  ['a pattern', 'COPY target/release/*-mcp /app/bin/'],
  ['the folder', 'COPY target/release/ /app/bin/'],
  ['everything', 'COPY . /app'],
  ['a variable', 'ARG BIN\nCOPY target/release/${BIN} /app/bin/'],
  ['JSON', 'COPY ["target/release/notes-mcp", "/app/bin/"]'],
])('a program is copied by %s', (_, line) => {
  expect(validateDockerfile(`FROM debian\n${line}\n`, { mcpBinaries: ['notes-mcp'] })).toEqual([]);
});

test('a file that is no Dockerfile says where', () => {
  expect(validateDockerfile('', { mcpBinaries: [] })).toMatchObject([
    { kind: 'syntax', problem: 'does not begin with FROM' },
  ]);
  const text =
    'ARG BASE\nFROM $BASE\nCOPPY a b\nRUN <<EOF\nanything here\nEOF\nRUN <<-"END" cat\n\tmore\n\tEND\nWORKDIR /app\n';
  expect(validateDockerfile(text, { mcpBinaries: [] })).toEqual([
    { kind: 'syntax', problem: 'COPPY is no instruction', line: 3 },
  ]);
});

test('a Dockerfile that was generated and left alone needs no docker: the plan says the same', async () => {
  expect((await planWith(predecessors)).dockerfile).toBeUndefined();
  expect((await planWith(predecessors.replaceAll('\n', '\r\n'))).dockerfile).toBeUndefined();
  const projectRoot = await fixtureProject();
  const own = renderDockerfile(await planImage({ projectRoot, profileName: 'production' }));
  expect((await planWith(own)).dockerfile).toBeUndefined();
});

test.each([
  ['another base', predecessors.replace('debian:bookworm-slim', 'ubuntu:24.04')],
  ['a line more', `${predecessors}RUN echo hello\n`],
  ['a variable', predecessors.replace('RUST_LOG=info', 'RUST_LOG=debug')],
  ['a line less', predecessors.replace(/HEALTHCHECK[^\n]*\n[^\n]*\n/, '')],
  ['another program to run', predecessors.replace('"--foreground"', '"--verbose"')],
])('one that was edited by hand is what is built: %s', async (_, edited) => {
  const text = edited.replace('old-mcp', 'notes-mcp');
  expect((await planWith(text)).dockerfile).toMatchObject({ path: dockerfile, text });
});

test('an edited Dockerfile that lacks a program stops the plan, with everything else that is missing', async () => {
  const projectRoot = await fixtureProject();
  await writeFiles(projectRoot, { [dockerfile]: 'FROM debian\nCOPY target/release/systemprompt-x /app/bin/\n' });
  await rm(join(projectRoot, 'services/web'), { recursive: true });
  await expect(planImage({ projectRoot, profileName: 'production' })).rejects.toMatchObject({
    code: 'SP_DEPLOY_PROJECT_INCOMPLETE',
    findings: [
      { path: 'services/web/templates', problem: 'missing' },
      { path: dockerfile, add: 'COPY target/release/notes-mcp /app/bin/' },
      { path: dockerfile, line: 2, problem: expect.stringContaining('systemprompt-x') },
    ],
  });
});

test('auto takes docker for an edited Dockerfile, and nothing else can build it', async () => {
  const cacheDirectory = await temporaryFolder();
  const { env } = await fakeDocker();
  const choose = { base: 'scratch', dockerfile, cacheDirectory };
  expect((await resolveBuilder({ ...choose, choice: 'auto', docker: { env } })).kind).toBe('docker');
  const without = { binary: join(cacheDirectory, 'docker') };
  await expect(resolveBuilder({ ...choose, choice: 'oci' })).rejects.toMatchObject({
    code: 'SP_DEPLOY_BASE_UNSUPPORTED',
  });
  await expect(resolveBuilder({ ...choose, choice: 'auto', docker: without })).rejects.toMatchObject({
    code: 'SP_DEPLOY_BASE_UNSUPPORTED',
    message: expect.stringContaining(dockerfile),
  });
});
