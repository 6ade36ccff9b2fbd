import { identitySuite } from './identity.suite.ts';
import { startSandbox } from './identity-worlds.ts';

identitySuite('sandbox', startSandbox);
