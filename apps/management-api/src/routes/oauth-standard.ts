import { contract, type Endpoint, fromWire, toWire } from '@sp/cloud-api/contract';
import { type Context, Hono } from 'hono';
import { originOf } from '../audit/login-trail.ts';
import type { HttpEnvironment } from '../http/app.ts';
import { isForm, readForm } from '../http/body.ts';
import { ApiFailure, invalidRequest, isApiFailure } from '../http/errors.ts';
import type { Handlers } from '../http/handlers.ts';
import { validate } from '../http/validate.ts';
import { isOAuthProvider } from '../identity/callback-url.ts';
import { isIdentityError } from '../identity/identity-error.ts';
import { providerNames } from '../identity/providers.ts';
import { chooseProviderPage } from '../pages/device-pages.ts';
import { messagePage } from '../pages/message-page.ts';
import { sendPage } from '../pages/page.ts';
import type { Identity } from '../ports/identity.ts';

/** Endpoints that take forms, and the members that are read from them; others are ignored (RFC 6749 §3.2). */
const forms = [
  {
    verb: 'createToken',
    members: ['grant_type', 'code', 'code_verifier', 'redirect_uri', 'refresh_token', 'device_code'],
  },
  { verb: 'createDeviceLogin', members: [] },
  { verb: 'revokeToken', members: ['token'] },
] as const;

/**
 * The same logins for programs that know OAuth and not this API: metadata (RFC 8414), an authorization page, and the
 * endpoints with forms and OAuth's own error bodies. Requests in JSON are left to the contract's routes.
 */
export function standardOAuthRoutes(options: {
  readonly baseUrl: string;
  readonly handlers: Handlers['auth'];
  readonly identity: Pick<Identity, 'providers'>;
}): Hono<HttpEnvironment> {
  const { baseUrl, handlers, identity } = options;
  const routes = new Hono<HttpEnvironment>();

  routes.get('/.well-known/oauth-authorization-server', (context) => {
    context.header('cache-control', 'public, max-age=300');
    return context.json(metadata(baseUrl));
  });

  routes.get('/oauth/authorize', async (context) => {
    const url = new URL(context.req.url);
    const provider = url.searchParams.get('provider');
    if (provider === null || !isOAuthProvider(provider)) return choose(context);
    if (!identity.providers.some((known) => known.provider === provider)) {
      return choose(context, `Nobody can log in with ${providerNames[provider]} here.`);
    }
    try {
      const query = validate(contract.auth.getAuthorizeUrl.query, readAuthorization(url.searchParams), 'query');
      if (query.codeChallenge === undefined) throw invalidRequest('code_challenge: is required.');
      const { authorizeUrl } = await handlers.getAuthorizeUrl(inputOf(context, { params: { provider }, query }));
      return context.redirect(authorizeUrl);
    } catch (error) {
      if (isIdentityError(error)) {
        const message = `${error.provider} does not answer now. Try again in a while.`;
        return sendPage(context, messagePage({ heading: 'This login cannot begin', message }), 503);
      }
      if (!isApiFailure(error)) throw error;
      // Not sent back: whoever wrote a wrong address is not to be trusted with a redirect.
      return sendPage(context, messagePage({ heading: 'This login cannot begin', message: error.message }), 400);
    }
  });

  for (const { verb, members } of forms) {
    const endpoint: Endpoint = contract.auth[verb];
    const handler = handlers[verb] as (input: object) => Promise<unknown>;
    routes.post(endpoint.path, async (context, next) => {
      if (!isForm(context.req.raw)) return next();
      context.header('cache-control', 'no-store');
      try {
        const form = await readForm(context.req.raw);
        if (verb === 'createToken') checkGrantType(form.get('grant_type'));
        const body = validate(contract.auth[verb].request as never, readMembers(form, { verb, members }), 'body');
        const answer = await handler(inputOf(context, { params: {}, body }));
        return endpoint.response === undefined ? context.body(null, 200) : context.json(toWire(answer) as object);
      } catch (error) {
        if (!isApiFailure(error)) throw error;
        return context.json({ error: error.code, error_description: error.message }, error.status);
      }
    });
  }

  return routes;

  function choose(context: Context, problem?: string): Response | Promise<Response> {
    const rest = [...new URL(context.req.url).searchParams].filter(([name]) => name !== 'provider');
    const links = identity.providers.map(({ provider }) => ({
      provider,
      href: `?${new URLSearchParams([...rest, ['provider', provider]])}`,
    }));
    return sendPage(context, chooseProviderPage({ links, problem }), problem === undefined ? 200 : 400);
  }
}

const grantTypes = ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'];

/** OAuth has a code of its own for this. */
function checkGrantType(grantType: string | null): void {
  if (grantType === null || grantTypes.includes(grantType)) return;
  throw new ApiFailure('grant_type: is not supported.', { status: 400, code: 'unsupported_grant_type' });
}

function metadata(baseUrl: string): object {
  return {
    issuer: baseUrl,
    authorization_endpoint: `${baseUrl}/oauth/authorize`,
    token_endpoint: `${baseUrl}${contract.auth.createToken.path}`,
    device_authorization_endpoint: `${baseUrl}${contract.auth.createDeviceLogin.path}`,
    revocation_endpoint: `${baseUrl}${contract.auth.revokeToken.path}`,
    jwks_uri: `${baseUrl}/.well-known/jwks.json`,
    scopes_supported: ['offline_access'],
    response_types_supported: ['code'],
    response_modes_supported: ['query'],
    grant_types_supported: grantTypes,
    token_endpoint_auth_methods_supported: ['none'],
    revocation_endpoint_auth_methods_supported: ['none'],
    code_challenge_methods_supported: ['S256'],
    authorization_response_iss_parameter_supported: true,
  };
}

function readAuthorization(query: URLSearchParams): unknown {
  const members = ['redirect_uri', 'state', 'code_challenge', 'code_challenge_method'];
  return fromWire({ ...pick(query, members), ...scopeOf(query) });
}

function readMembers(
  form: URLSearchParams,
  { verb, members }: { readonly verb: (typeof forms)[number]['verb']; readonly members: readonly string[] },
): unknown {
  return fromWire({ ...pick(form, members), ...(verb === 'createDeviceLogin' ? scopeOf(form) : {}) });
}

function pick(values: URLSearchParams, names: readonly string[]): object {
  return Object.fromEntries([...values].filter(([name]) => names.includes(name)));
}

/** Scopes that are not known are not granted, and no error. */
function scopeOf(values: URLSearchParams): object {
  const scopes = (values.get('scope') ?? '').split(' ');
  return scopes.includes('offline_access') ? { scope: 'offline_access' } : {};
}

function inputOf<T extends object>(context: Context<HttpEnvironment>, rest: T) {
  const request = context.req.raw;
  return {
    query: undefined,
    body: undefined,
    user: undefined,
    signal: request.signal,
    request,
    origin: originOf(context),
    ...rest,
  };
}
