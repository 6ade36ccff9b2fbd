// @boundaries-ignore the settings that all packages share
import { libraryBuild } from '../../tsup.shared.ts';
import { contractForClients } from './contract-for-clients.ts';

// Two builds in one folder: the script empties it before them.
export default [
  libraryBuild(['src/index.ts'], { clean: false, noExternal: ['zod/mini'], esbuildPlugins: [contractForClients] }),
  libraryBuild(['src/contract.ts'], { clean: false }),
];
