// @boundaries-ignore the settings that all packages share
import { packageTests } from '../../vitest.shared.ts';

export default packageTests('local-postgres', {
  // A machine that does much else is slow, and not wrong.
  testTimeout: 60_000,
  hookTimeout: 60_000,
});
