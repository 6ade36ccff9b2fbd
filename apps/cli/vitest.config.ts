// @boundaries-ignore the settings that all packages share
import { packageTests } from '../../vitest.shared.ts';

export default packageTests('cli', { disableConsoleIntercept: true, testTimeout: 60_000, hookTimeout: 60_000 });
