import { defineConfig, type Options } from 'tsup';

/** How every library is built: ESM for Node 20.19, one file per entry; `tsc` writes the declarations afterwards. */
export function libraryBuild(entry: string[], options: Options = {}): ReturnType<typeof defineConfig> {
  return defineConfig({
    entry,
    format: 'esm',
    target: 'node20.19',
    platform: 'node',
    clean: true,
    sourcemap: false,
    silent: true,
    ...options,
  });
}

export { thirdPartyNotices } from './tsup.notices.ts';
