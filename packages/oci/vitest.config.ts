// @boundaries-ignore the settings that all packages share
import { packageTests } from '../../vitest.shared.ts';

// Some tests move tens of megabytes, and the computer may have other things to do.
export default packageTests('oci', { testTimeout: 30_000 });
