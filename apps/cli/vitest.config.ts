// @boundaries-ignore the settings that all packages share
import { packageTests } from '../../vitest.shared.ts';

export default packageTests('cli', {
  disableConsoleIntercept: true,
  // What commands write in this process is compared as text; colour is tried with the built program.
  env: { NO_COLOR: '1' },
});
