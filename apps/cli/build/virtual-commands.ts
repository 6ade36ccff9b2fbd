import { readdirSync } from 'node:fs';
import { resolve } from 'node:path';

interface Plugin {
  readonly name: string;
  setup(build: {
    onResolve(on: { filter: RegExp }, answer: (args: { path: string; importer: string }) => object | undefined): void;
    onLoad(on: { filter: RegExp; namespace: string }, answer: () => object): void;
  }): void;
}

/** `virtual:commands`: every file of `src/commands` by its command id, loaded when it is asked for. */
export const virtualCommands: Plugin = {
  name: 'virtual-commands',
  setup(build) {
    // Its index would load the plugin loader, the manifest reader and help.
    build.onResolve({ filter: /^@oclif\/core$/ }, () => ({ path: resolve('build/slim-oclif.ts') }));
    build.onResolve({ filter: /\/(config|help|help\/index|help\/util|config\/.*)$/ }, ({ importer }) =>
      /[/\\]@oclif[/\\]core[/\\]lib[/\\](?!parser)/.test(importer)
        ? { path: resolve('build/no-oclif-config.ts') }
        : undefined,
    );
    build.onResolve({ filter: /^debug$/ }, () => ({ path: resolve('build/no-debug.ts') }));
    build.onResolve({ filter: /^virtual:commands$/ }, ({ path }) => ({ path, namespace: 'virtual' }));
    build.onLoad({ filter: /.*/, namespace: 'virtual' }, () => {
      const files = readdirSync('src/commands', { recursive: true, encoding: 'utf8' }).filter((file) =>
        file.endsWith('.ts'),
      );
      const entries = files.sort().map((file) => {
        const id = file
          .replace(/\.ts$/, '')
          .replaceAll(/[/\\]/g, ':')
          .replace(/:index$/, '');
        return `${JSON.stringify(id)}: () => import(${JSON.stringify(resolve('src/commands', file))}).then((it) => it.default)`;
      });
      return {
        contents: `export const commands = {\n${entries.join(',\n')}\n};`,
        resolveDir: resolve('src'),
        loader: 'js',
      };
    });
  },
};
