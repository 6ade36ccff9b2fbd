import { defineConfig } from 'tsup';
import { virtualCommands } from './build/virtual-commands.ts';

export default defineConfig([
  // oclif finds commands by their file, so each command is an entry; `outbase` keeps shared chunks out of `dist/commands`.
  {
    entry: ['src/index.ts', 'src/commands/**/*.ts'],
    outDir: 'dist',
    format: 'esm',
    target: 'node20.19',
    platform: 'node',
    clean: ['!start.cjs'],
    sourcemap: false,
    silent: true,
    external: ['@sp/management-api'],
    esbuildOptions: (options) => {
      options.outbase = 'src';
    },
  },
  // The same commands in one file for bin/run.cjs: each is evaluated when it is run, and nothing is looked up on disk.
  {
    entry: { start: 'src/start/run-command.ts' },
    outDir: 'dist',
    format: 'cjs',
    target: 'node20.19',
    platform: 'node',
    outExtension: () => ({ js: '.cjs' }),
    clean: false,
    sourcemap: false,
    splitting: false,
    removeNodeProtocol: false,
    silent: true,
    // All but the server, which is optional.
    noExternal: [/^(?!@sp\/management-api)/],
    external: ['@sp/management-api'],
    esbuildPlugins: [virtualCommands],
    esbuildOptions: (options) => {
      // Names stay, for the stack traces of defects.
      options.minifyWhitespace = true;
      options.minifySyntax = true;
      // What Node shows of a line that threw must be readable.
      options.lineLimit = 160;
      // A script of node:vm cannot import; what is not in the bundle is required instead.
      options.supported = { 'dynamic-import': false };
      options.conditions = ['@sp/source'];

      options.define = { 'import.meta.url': '__bundleUrl' };
      options.banner = { js: "const __bundleUrl = require('node:url').pathToFileURL(__filename).href;" };
    },
  },
]);
