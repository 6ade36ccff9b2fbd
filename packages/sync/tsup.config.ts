// @boundaries-ignore the settings that all packages share
import { libraryBuild } from '../../tsup.shared.ts';

// To find and load the modules of others takes longer than a sync with nothing to do: what every sync uses goes along.
export default libraryBuild(['src/index.ts', 'src/server.ts'], {
  noExternal: ['zod', 'proper-lockfile', 'write-file-atomic'],
  // Some of them are CommonJS.
  banner: {
    js: [
      "import { createRequire as __createRequire } from 'node:module';",
      'const require = __createRequire(import.meta.url);',
      'const __filename = import.meta.url;',
    ].join('\n'),
  },
});
