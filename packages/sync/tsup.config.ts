// @boundaries-ignore the settings that all packages share
import { libraryBuild, thirdPartyNotices } from '../../tsup.shared.ts';

// To find and load the modules of others takes longer than a sync with nothing to do: what every sync uses goes along.
export default libraryBuild(['src/index.ts', 'src/server.ts'], {
  noExternal: ['zod', 'proper-lockfile', 'write-file-atomic'],
  esbuildPlugins: [thirdPartyNotices()],
  // Some of them are CommonJS, and ask for Node's own modules only. Who bundles this into CommonJS has no `import.meta`;
  // any absolute path does then.
  banner: {
    js: [
      "import { createRequire as __createRequire } from 'node:module';",
      "const __filename = import.meta.url ?? 'file:///C:/sync.js';",
      'const require = __createRequire(__filename);',
    ].join('\n'),
  },
});
