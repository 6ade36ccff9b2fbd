/** Log in to SystemPrompt Cloud: in the browser, in a browser of another computer, or with a token that is piped in. */

export { type OAuthTemplates } from './login-pages.ts';
export {
  type AuthorizeUrlRequest,
  type ExchangeCodeRequest,
  type LoginToken,
  type OAuthProvider,
} from './login-request.ts';
export { type ReadTokenOptions, readTokenFromStream } from './read-token-from-stream.ts';
export {
  type DeviceAuthorization,
  type DeviceFlowOptions,
  type DevicePollResult,
  type DevicePrompt,
  runDeviceFlow,
} from './run-device-flow.ts';
export { type OAuthFlowEvent, type OAuthFlowOptions, runOAuthFlow } from './run-oauth-flow.ts';
