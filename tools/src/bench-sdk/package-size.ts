import { createRequire } from 'node:module';
import { basename } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { PackageEntry } from './package-entries.ts';

interface Bundler {
  build(options: object): Promise<{
    readonly outputFiles: readonly { readonly path: string; readonly contents: Uint8Array }[];
    readonly metafile: {
      readonly outputs: Readonly<
        Record<string, { readonly imports: readonly { readonly path: string; readonly kind: string }[] }>
      >;
    };
  }>;
}

/** Bytes of an entry with everything that it needs, minified and compressed. */
export interface PackageSize {
  /** What is loaded with the entry. */
  readonly first: number;
  /** With what is loaded when it is needed. */
  readonly all: number;
}

export async function packageSize(root: string, { specifier, entry }: PackageEntry): Promise<PackageSize> {
  const require = createRequire(import.meta.url);
  // The bundler that builds the packages; nothing else here needs one.
  const { build } = createRequire(require.resolve('tsup'))('esbuild') as Bundler;
  const { outputFiles, metafile } = await build({
    entryPoints: [`${root}/packages/${entry}.js`],
    bundle: true,
    splitting: true,
    metafile: true,
    minify: true,
    write: false,
    outdir: 'out',
    format: 'esm',
    target: 'es2023',
    platform: specifier.startsWith('@sp/cloud-api') ? 'browser' : 'node',
    logLevel: 'error',
  });
  const sizes = new Map(
    outputFiles.map(({ path, contents }) => [basename(path), gzipSync(contents, { level: 9 }).length]),
  );
  const imports = new Map(Object.entries(metafile.outputs).map(([path, output]) => [basename(path), output.imports]));
  const first = new Set([basename(`${entry}.js`)]);
  // A set is walked with what is added meanwhile.
  for (const name of first) {
    for (const { path, kind } of imports.get(name) ?? []) {
      if (kind === 'import-statement' && sizes.has(basename(path))) first.add(basename(path));
    }
  }
  const bytes = (names: Iterable<string>): number => [...names].reduce((sum, name) => sum + (sizes.get(name) ?? 0), 0);
  return { first: bytes(first), all: bytes(sizes.keys()) };
}
