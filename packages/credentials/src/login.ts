/** Log in to SystemPrompt Cloud in the browser. */

export { type OAuthTemplates } from './login-pages.ts';
export {
  type AuthorizeUrlRequest,
  type ExchangeCodeRequest,
  type LoginToken,
  type OAuthProvider,
} from './login-request.ts';
export { type OAuthFlowEvent, type OAuthFlowOptions, runOAuthFlow } from './run-oauth-flow.ts';
