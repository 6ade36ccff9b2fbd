import { createRequire } from 'node:module';
import { gzipSync } from 'node:zlib';
import type { PackageEntry } from './package-entries.ts';

interface Bundler {
  build(options: object): Promise<{ readonly outputFiles: readonly { readonly contents: Uint8Array }[] }>;
}

/** Bytes of an entry with everything that it needs, also later, minified and compressed. */
export async function packageSize(root: string, { specifier, entry }: PackageEntry): Promise<number> {
  const require = createRequire(import.meta.url);
  // The bundler that builds the packages; nothing else here needs one.
  const { build } = createRequire(require.resolve('tsup'))('esbuild') as Bundler;
  const { outputFiles } = await build({
    entryPoints: [`${root}/packages/${entry}.js`],
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    target: 'es2023',
    platform: specifier.startsWith('@sp/cloud-api') ? 'browser' : 'node',
    logLevel: 'error',
  });
  return outputFiles.reduce((bytes, { contents }) => bytes + gzipSync(contents, { level: 9 }).length, 0);
}
