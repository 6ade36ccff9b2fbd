import type { AnyErrorCode } from './advice.ts';

/** Something that often goes wrong with a tenant, and what to do. */
export interface Trouble {
  readonly trouble: string;
  readonly remedy: string;
  /** The codes behind which it hides. */
  readonly codes: readonly AnyErrorCode[];
}

/** The classic troubles: `cloud explain` and `cloud doctor` know them. */
export const troubles: readonly Trouble[] = [
  {
    trouble: 'The machine will not start: its memory is too low.',
    remedy: 'systemprompt cloud tenant edit --memory 512, then: systemprompt cloud restart',
    codes: ['SP_DEPLOY_UNHEALTHY', 'SP_CLI_OPERATION_FAILED'],
  },
  {
    trouble: 'The health check fails: the server crashes or answers on another port.',
    remedy: 'Read the last lines under the error; the server must answer GET /api/v1/health on $PORT.',
    codes: ['SP_DEPLOY_UNHEALTHY', 'SP_DEPLOY_TIMEOUT'],
  },
  {
    trouble: 'The server cannot log in to its database: DATABASE_URL is wrong.',
    remedy: 'systemprompt cloud tenant rotate-credentials',
    codes: ['SP_DEPLOY_UNHEALTHY', 'SP_CLI_CREDENTIALS_UNAVAILABLE'],
  },
  {
    trouble: 'The certificate of a custom domain is not ready: a DNS record is missing.',
    remedy: 'systemprompt cloud domain status shows the record to make.',
    codes: ['SP_CLI_NO_PAGE'],
  },
  {
    trouble: 'The login at the registry has expired in the middle of a push.',
    remedy: 'systemprompt cloud deploy: each deploy logs in anew, and what arrived is not sent twice.',
    codes: ['SP_DEPLOY_PUSH_FAILED'],
  },
  {
    trouble: 'The API keys of the model providers are not set.',
    remedy: 'systemprompt cloud secrets set ANTHROPIC_API_KEY, then: systemprompt cloud restart',
    codes: ['SP_DEPLOY_UNHEALTHY'],
  },
];
