import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';

interface Plugin {
  readonly name: string;
  setup(build: {
    onResolve(on: { filter: RegExp }, answer: (args: { path: string; importer: string }) => object | undefined): void;
    onLoad(on: { filter: RegExp; namespace?: string }, answer: (args: { path: string }) => object | undefined): void;
  }): void;
}

const zodError = 'z.core.$ZodError';

/** What stands in for a file that oclif's own code asks for. */
function ofOclif(importer: string, name: string): object | undefined {
  return /[/\\]@oclif[/\\]core[/\\]lib[/\\]/.test(importer) ? { path: resolve(`build/${name}.ts`) } : undefined;
}

/**
 * Libraries that are bundles of their own: every command would have to read them otherwise, and few need them. Only those
 * of which everything is imported by name.
 */
export const parts: Readonly<Record<string, string>> = {
  yaml: resolveFrom('../../packages/tenants', 'yaml'),
  execa: resolveFrom('../../packages/deploy', 'execa'),
  '@clack/prompts': resolveFrom('.', '@clack/prompts'),
  '@sp/oci': resolve('../../packages/oci/src/index.ts'),
  '@sp/sync': resolve('../../packages/sync/src/index.ts'),
  '@sp/database': resolve('../../packages/database/src/index.ts'),
};

function resolveFrom(folder: string, library: string): string {
  return createRequire(resolve(folder, 'package.json')).resolve(library);
}

/** The file of a part. */
export function partName(library: string): string {
  return library.replace(/^@/, '').replace('/', '-');
}

/** Named through the namespace, one member of zod's core would bring all of it, in every language. */
export const zodMembers: Plugin = {
  name: 'zod-members',
  setup(build) {
    build.onLoad({ filter: /[/\\]packages[/\\][^/\\]+[/\\]src[/\\].+\.ts$/ }, ({ path }) => {
      const text = readFileSync(path, 'utf8');
      if (!text.includes(zodError)) return undefined;
      const contents = `import { $ZodError as __zodError } from 'zod/v4/core';\n${text.replaceAll(zodError, '__zodError')}`;
      return { contents, loader: 'ts' };
    });
  },
};

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
    build.onResolve({ filter: /(?:^|\/)(?:screen|ux|ux\/theme|ux\/write)$/ }, ({ importer }) =>
      ofOclif(importer, 'no-oclif-ux'),
    );
    build.onResolve({ filter: /^(?:clean-stack|indent-string|wrap-ansi|\.\/handle)$/ }, ({ importer }) =>
      ofOclif(importer, 'no-rendering'),
    );
    build.onResolve({ filter: /^debug$/ }, () => ({ path: resolve('build/no-debug.ts') }));
    // The built client reads answers without zod, and has no requests' schemas.
    build.onResolve({ filter: /^@sp\/cloud-api$/ }, () => ({
      path: resolve('../../packages/cloud-api/dist/index.js'),
    }));
    build.onResolve({ filter: new RegExp(`^(?:${Object.keys(parts).join('|')})$`) }, ({ path }) => ({
      path,
      namespace: 'part',
    }));
    build.onLoad({ filter: /.*/, namespace: 'part' }, ({ path }) => ({
      contents: `module.exports = __part(${JSON.stringify(partName(path))});`,
      loader: 'js',
    }));
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
