import { expect, test } from 'vitest';
import { planImage, renderDockerfile, renderDockerignore } from '../src/index.ts';
import { fixtureProject } from './fixture-project.ts';

test('the Dockerfile of a Debian base', async () => {
  const plan = await planImage({ projectRoot: await fixtureProject(), profileName: 'production' });
  expect(renderDockerfile(plan)).toMatchInlineSnapshot(`
    "FROM debian:bookworm-slim
    RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates curl libssl3 libpq5 lsof && rm -rf /var/lib/apt/lists/*
    RUN useradd -m -u 1000 app
    RUN mkdir -p /app /app/bin /app/extensions /app/extensions/mcp /app/logs /app/services /app/storage /app/storage/files /app/storage/files/audio /app/storage/files/documents /app/storage/files/images /app/storage/files/images/generated /app/storage/files/images/logos /app/storage/files/uploads /app/storage/files/video /app/web && chown -R 1000:1000 /app
    WORKDIR /app
    COPY --chown=1000:1000 ["target/release/systemprompt","/app/bin/systemprompt"]
    COPY --chown=1000:1000 ["target/release/notes-mcp","/app/bin/notes-mcp"]
    COPY --chown=1000:1000 ["storage/","/app/storage/"]
    COPY --chown=1000:1000 ["web/dist/","/app/web/dist/"]
    COPY --chown=1000:1000 ["extensions/blog/","/app/extensions/blog/"]
    COPY --chown=1000:1000 ["extensions/mcp/debug/","/app/extensions/mcp/debug/"]
    COPY --chown=1000:1000 ["extensions/mcp/notes/","/app/extensions/mcp/notes/"]
    COPY --chown=1000:1000 ["services/","/app/services/"]
    COPY --chown=1000:1000 [".systemprompt/profiles/","/app/services/profiles/"]
    USER 1000:1000
    EXPOSE 8080
    ENV HOST="0.0.0.0" \\
        PORT="8080" \\
        RUST_LOG="info" \\
        PATH="/app/bin:$PATH" \\
        SYSTEMPROMPT_PROFILE="/app/services/profiles/production/profile.yaml" \\
        SYSTEMPROMPT_SERVICES_PATH="/app/services" \\
        SYSTEMPROMPT_TEMPLATES_PATH="/app/services/web/templates" \\
        SYSTEMPROMPT_ASSETS_PATH="/app/services/web/assets"
    LABEL io.systemprompt.profile="production"
    HEALTHCHECK --interval=30s --timeout=10s --start-period=10s --retries=3 \\
        CMD curl -f http://localhost:8080/api/v1/health || exit 1
    CMD ["/app/bin/systemprompt","infra","services","serve","--foreground"]
    "
  `);
});

test('without packages there is nothing to run in the base', async () => {
  const plan = await planImage({ projectRoot: await fixtureProject(), profileName: 'production', base: 'scratch' });
  const lines = renderDockerfile(plan).split('\n');
  expect(lines.filter((line) => /^(RUN|HEALTHCHECK)/.test(line))).toEqual([]);
  expect(lines.slice(0, 3)).toEqual([
    'FROM scratch',
    'COPY --chown=1000:1000 [".image-directories/", "/"]',
    'WORKDIR /app',
  ]);
});

test('sources are taken literally', async () => {
  const plan = await planImage({ projectRoot: await fixtureProject(), profileName: 'production', base: 'scratch' });
  const copies = [
    { source: 'extensions/[a]$b', destination: '/app/$b', kind: 'directory', layer: 'extensions' },
  ] as const;
  expect(renderDockerfile({ ...plan, copies })).toContain(
    'COPY --chown=1000:1000 ["extensions/[[]a]\\\\$b/","/app/\\\\$b/"]',
  );
});

test('the ignore file keeps secrets out of a build in the project itself', () => {
  expect(renderDockerignore().split('\n')).toEqual(
    expect.arrayContaining(['.git', '*.md', '**/secrets.json*', '.systemprompt/credentials.json*', '**/.env']),
  );
});
