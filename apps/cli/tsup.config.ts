import { defineConfig } from 'tsup';
// @boundaries-ignore the settings that all packages share
import { thirdPartyNotices } from '../../tsup.shared.ts';
import { partName, parts, virtualCommands, zodMembers } from './build/virtual-commands.ts';

// What the two bundles take in.
const notices = thirdPartyNotices();

export default defineConfig([
  // oclif finds commands by their file, so each command is an entry; `outbase` keeps shared chunks out of `dist/commands`.
  {
    entry: ['src/index.ts', 'src/commands/**/*.ts'],
    outDir: 'dist',
    format: 'esm',
    target: 'node20.19',
    platform: 'node',
    clean: ['!start.cjs', '!parts/*', '!THIRD-PARTY-NOTICES.txt'],
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
    esbuildPlugins: [virtualCommands, zodMembers, notices],
    esbuildOptions: (options) => {
      // Names stay, for the stack traces of defects.
      options.minifyWhitespace = true;
      options.minifySyntax = true;
      // What Node shows of a line that threw must be readable.
      options.lineLimit = 160;
      // A script of node:vm cannot import; what is not in the bundle is required instead.
      options.supported = { 'dynamic-import': false };
      options.conditions = ['@sp/source'];

      // Asking for `performance` loads all of node:perf_hooks.
      options.define = { 'import.meta.url': '__bundle.url', 'performance.now': '__now' };
      options.banner = {
        js: `const __bundle = { get url() { return require('node:url').pathToFileURL(__filename).href; } };
const __now = () => Number(process.hrtime.bigint()) / 1e6;
const __later = (load) => {
  let found;
  const get = (_, name) => (name === '__esModule' ? undefined : (found ??= load())[name]);
  // What is copied member by member is asked for later, as what it was made after.
  const lazy = new Proxy({}, { get, getPrototypeOf: () => lazy });
  return lazy;
};
const __lazy = (id) => __later(() => require(id));
const __part = (name) => __later(() => require('../bin/code-cache.cjs').runPart(name));`,
      };
    },
  },
  // Large libraries that few commands need.
  {
    entry: Object.fromEntries(Object.entries(parts).map(([name, path]) => [partName(name), path])),
    outDir: 'dist/parts',
    format: 'cjs',
    target: 'node20.19',
    platform: 'node',
    outExtension: () => ({ js: '.cjs' }),
    clean: false,
    sourcemap: false,
    splitting: false,
    removeNodeProtocol: false,
    silent: true,
    noExternal: [/./],
    esbuildOptions: (options) => {
      options.minifyWhitespace = true;
      options.minifySyntax = true;
      options.lineLimit = 160;
      options.conditions = ['@sp/source'];
      // As in the bundle of the commands.
      options.supported = { 'dynamic-import': false };
    },
    esbuildPlugins: [zodMembers, notices],
  },
]);
