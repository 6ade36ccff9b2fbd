import { defineConfig } from 'tsup';

// oclif finds commands by their file, so each command is an entry; `outbase` keeps shared chunks out of `dist/commands`.
export default defineConfig({
  entry: ['src/index.ts', 'src/commands/**/*.ts'],
  outDir: 'dist',
  format: 'esm',
  target: 'node20.19',
  platform: 'node',
  clean: true,
  sourcemap: false,
  silent: true,
  esbuildOptions: (options) => {
    options.outbase = 'src';
  },
});
