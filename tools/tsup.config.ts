// @boundaries-ignore the settings that all packages share
import { libraryBuild } from '../tsup.shared.ts';

// Programs with parts that no bundle holds: they are loaded from where they are installed.
export default libraryBuild(['src/*.ts'], { external: ['@sp/management-api', 'pg'] });
