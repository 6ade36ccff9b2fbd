// @boundaries-ignore the settings that all packages share
import { thirdPartyNotices } from '../../tsup.notices.ts';
import { libraryBuild } from '../../tsup.shared.ts';

// Zod's own modules take longer to load than a sync with nothing to do: only what is used of them goes along.
export default libraryBuild(['src/index.ts', 'src/server.ts'], {
  noExternal: ['zod'],
  esbuildPlugins: [thirdPartyNotices()],
});
