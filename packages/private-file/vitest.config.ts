import { packageTests } from '../../vitest.shared.ts';

export default packageTests('private-file');
