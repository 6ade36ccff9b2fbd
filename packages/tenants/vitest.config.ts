// @boundaries-ignore the settings that all packages share
import { packageTests } from '../../vitest.shared.ts';

export default packageTests('tenants');
