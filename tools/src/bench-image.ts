import { fileURLToPath } from 'node:url';

// Measured processes start here too, so only what a process needs is loaded.
const [mode = '', ...rest] = process.argv.slice(2);
if (mode === 'serve') {
  const { serveRegistry } = await import('./bench-image/registry-process.ts');
  serveRegistry(rest[0] ?? '');
} else if (mode === 'build-push') {
  const { buildAndPush } = await import('./bench-image/own-tool.ts');
  const [project = '', cacheDirectory = '', registry = ''] = rest;
  await buildAndPush({ project, cacheDirectory, registry });
} else {
  const { runBenchmark } = await import('./bench-image/run.ts');
  await runBenchmark(fileURLToPath(import.meta.url), process.argv.slice(2));
}
