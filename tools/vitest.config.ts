// @boundaries-ignore the settings that all packages share
import { packageTests } from '../vitest.shared.ts';

export default packageTests('tools', { testTimeout: 180_000, hookTimeout: 180_000, fileParallelism: false });
