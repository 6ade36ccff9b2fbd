// Measures `@sp/sync` against an rsync daemon and whole tarballs: `node tools/dist/bench-sync.js [--rounds 5] [--fulls 3] [--files 20000] [--tarball no]`.
import { fileURLToPath } from 'node:url';

// Measured processes start here too, so only what a process needs is loaded.
const [mode = '', ...rest] = process.argv.slice(2);
if (mode === 'serve') {
  const { serveTenant } = await import('./bench-sync/tenant-process.ts');
  await serveTenant(rest[0] ?? '', rest[1] ?? '');
} else if (mode === 'sync') {
  const { syncUp } = await import('./bench-sync/own-tool.ts');
  const [root = '', stateDirectory = '', url = ''] = rest;
  await syncUp({ root, stateDirectory, url });
} else {
  const { runBenchmark } = await import('./bench-sync/run.ts');
  await runBenchmark(fileURLToPath(import.meta.url), process.argv.slice(2));
}
