/** An error that an endpoint may answer with. */
export interface DocumentedError {
  readonly status: number;
  readonly code: string;
  /** When it is the answer. */
  readonly when: string;
}

const error = (status: number, code: string, when: string): DocumentedError => ({ status, code, when });

const busy = [
  error(409, 'tenant_busy', 'Something else is being done to the tenant.'),
  error(409, 'tenant_state_conflict', 'The tenant is in a state in which this is not possible.'),
];
const deploying = [
  ...busy,
  error(409, 'deploy_in_progress', 'A deploy of the tenant is under way.'),
  error(409, 'release_moved', 'Another release runs than `expected_release`.'),
];
const triedInVain = error(409, 'operation_failed', 'It was tried and failed; the message says why.');
const operation = [...busy, triedInVain];
const noBilling = error(503, 'billing_unavailable', 'The payment provider does not answer; come again later.');
const noSubscription = error(409, 'no_subscription', 'The tenant has no subscription.');
const noRelease = error(404, 'release_not_found', 'The tenant has no such release.');
const noDomain = error(404, 'custom_domain_not_found', 'The tenant has no custom domain.');
const noCheckout = error(404, 'checkout_not_found', 'There is no such checkout of yours.');
const grant = error(400, 'invalid_grant', 'The code or token is unknown, used, expired or revoked.');
const managed = error(400, 'system_managed_secret', 'The platform sets this name itself.');

/** Errors of single endpoints, by name. What all endpoints share is in {@link commonErrors}. */
export const endpointErrors: Readonly<Record<string, readonly DocumentedError[]>> = {
  'auth.getAuthorizeUrl': [
    error(400, 'invalid_redirect_uri', '`redirect_uri` is no loopback address.'),
    error(400, 'provider_not_configured', 'Nobody can log in with this provider here.'),
  ],
  'auth.createToken': [
    grant,
    error(400, 'unsupported_grant_type', 'There is no such grant type (forms only).'),
    error(400, 'authorization_pending', 'The device login has not been answered yet.'),
    error(400, 'slow_down', 'The polls came too fast; wait five seconds longer from now on.'),
    error(400, 'access_denied', 'The person said no.'),
    error(400, 'expired_token', 'The device login has expired.'),
  ],
  'auth.deleteSession': [error(404, 'session_not_found', 'There is no such session of yours.')],
  'apiTokens.create': [
    error(404, 'tenant_not_found', 'There is no such tenant of yours.'),
    error(409, 'too_many_api_tokens', 'There are a hundred good tokens already.'),
  ],
  'apiTokens.delete': [error(404, 'api_token_not_found', 'There is no such token of yours that is good.')],
  'plans.list': [noBilling],
  'checkout.create': [
    noBilling,
    error(400, 'unknown_price', 'There is no plan with this price.'),
    error(400, 'invalid_redirect_uri', '`redirect_uri` is no loopback address.'),
    error(409, 'tenant_name_taken', 'You have a tenant of this name.'),
    error(409, 'too_many_tenants', 'You have as many tenants of the plan as it allows.'),
  ],
  'checkout.get': [noCheckout],
  'checkout.events': [noCheckout],
  'tenants.getLogs': [noRelease],
  'tenants.followLogs': [noRelease],
  'tenants.getCredentials': [
    error(404, 'credentials_not_found', 'There is no such link.'),
    error(410, 'credentials_already_used', 'The link was used already.'),
  ],
  'tenants.getRegistryToken': busy.slice(1),
  'tenants.deploy': [
    error(400, 'image_mismatch', 'Only the tenant’s own tag can be deployed.'),
    error(409, 'image_not_pushed', 'There is no image under the tag.'),
    error(409, 'digest_mismatch', 'The tag points to another digest.'),
    ...deploying,
  ],
  'tenants.update': [
    error(400, 'memory_exceeds_plan', 'The plan has less memory.'),
    error(409, 'tenant_name_taken', 'You have another tenant of this name.'),
    error(412, 'precondition_failed', 'The tenant’s version is not the one in `If-Match`.'),
    triedInVain,
  ],
  'tenants.delete': operation,
  'tenants.restart': busy,
  'tenants.retryProvision': busy.slice(1),
  'tenants.setExternalDbAccess': [triedInVain],
  'tenants.rotateCredentials': busy,
  'tenants.rotateSyncToken': operation,
  'releases.get': [noRelease],
  'releases.rollback': [
    noRelease,
    error(409, 'no_earlier_release', 'No release ran before.'),
    error(409, 'release_not_available', 'The image of the release is not kept any more.'),
    ...deploying,
  ],
  'domains.set': [
    error(400, 'reserved_domain', 'The domain is the platform’s own.'),
    error(409, 'domain_taken', 'Another tenant has proved this domain.'),
  ],
  'domains.get': [noDomain],
  'domains.delete': [noDomain],
  'subscription.cancel': [noBilling, noSubscription],
  'subscription.createPortalLink': [noBilling, noSubscription],
  'secrets.set': [managed],
  'secrets.delete': [managed],
};

/** Errors that depend on the kind of an endpoint only. */
export const commonErrors = {
  request: error(400, 'invalid_request', 'Something of the request breaks its rule; the message names the place.'),
  bodySize: error(413, 'body_too_large', 'The body is larger than 1 MiB.'),
  bodyType: error(415, 'unsupported_media_type', 'The body is not JSON.'),
  unauthorized: error(401, 'unauthorized', 'There is no token, or one that is not good.'),
  scope: error(403, 'insufficient_scope', 'The API token does not have the scope.'),
  tenant: error(404, 'tenant_not_found', 'There is no such tenant of yours.'),
  keyInUse: error(409, 'idempotency_key_in_use', 'The first request with the key is still running.'),
  keyReused: error(422, 'idempotency_key_reused', 'The key was used for another request.'),
  rate: error(429, 'rate_limited', 'There were too many requests; `Retry-After` says when to come again.'),
  internal: error(500, 'internal', 'Something went wrong on our side.'),
} as const satisfies Readonly<Record<string, DocumentedError>>;

/** Errors that requests outside the contract get. */
export const otherErrors: readonly DocumentedError[] = [
  error(401, 'invalid_signature', 'A webhook’s signature is not good.'),
  error(404, 'not_found', 'There is nothing at the address.'),
  error(405, 'method_not_allowed', 'The address answers to other methods: those in `Allow`.'),
  error(408, 'body_too_slow', 'The body did not come within 30 seconds.'),
  error(421, 'misdirected_request', 'The host is none of the service’s (with sandbox logins only).'),
  error(499, 'client_gone', 'The client went away; only the log and the metrics show it.'),
];
