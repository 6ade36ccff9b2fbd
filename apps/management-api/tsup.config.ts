// @boundaries-ignore the settings that all packages share
import { libraryBuild, thirdPartyNotices } from '../../tsup.shared.ts';

// The page of the local cloud runs in browsers: one file, with everything that it needs.
const dashboard = libraryBuild([], {
  entry: { app: 'src/dashboard/browser/main.ts', style: 'src/dashboard/browser/style.css' },
  outDir: 'dist/dashboard',
  platform: 'browser',
  target: 'es2022',
  minify: true,
  splitting: false,
  noExternal: [/./],
  esbuildPlugins: [thirdPartyNotices('dist/dashboard/THIRD-PARTY-NOTICES.txt')],
});

export default [libraryBuild(['src/index.ts', 'src/main.ts'], { clean: ['!dashboard/**'] }), dashboard];
