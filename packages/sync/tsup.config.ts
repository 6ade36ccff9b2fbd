// @boundaries-ignore the settings that all packages share
import { libraryBuild } from '../../tsup.shared.ts';

export default libraryBuild(['src/index.ts', 'src/server.ts']);
