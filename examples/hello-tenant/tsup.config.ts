import { chmod, rename } from 'node:fs/promises';
import { defineConfig } from 'tsup';

// One CommonJS file without an extension: what the tenant's machine starts as `/app/bin/systemprompt`.
export default defineConfig({
  entry: { systemprompt: 'src/server.ts' },
  outDir: 'target/release',
  format: 'cjs',
  target: 'node20.19',
  platform: 'node',
  // Everything goes in, also what package.json lists: there is no node_modules on the machine.
  noExternal: [/.*/],
  external: ['pg-native'],
  banner: { js: '#!/usr/bin/env node' },
  outExtension: () => ({ js: '.cjs' }),
  clean: true,
  silent: true,
  onSuccess: async () => {
    await chmod('target/release/systemprompt.cjs', 0o755);
    await rename('target/release/systemprompt.cjs', 'target/release/systemprompt');
  },
});
