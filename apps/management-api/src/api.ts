import type { Hono } from 'hono';
import type { Logger } from 'pino';
import { createAuditLog } from './audit/audit-log.ts';
import type { SubscriptionTerms } from './billing/subscription-standing.ts';
import { createAnswerCache } from './http/answer-cache.ts';
import { createHttpApp, type HttpApp } from './http/app.ts';
import { methodNotAllowed, unauthorized } from './http/errors.ts';
import { limitAddresses } from './http/limit-addresses.ts';
import { refuseForeignHosts } from './http/own-hosts.ts';
import { createPresence } from './http/presence.ts';
import { createQuickReads } from './http/quick-reads.ts';
import { createRateLimiter, type RateLimits } from './http/rate-limits.ts';
import { answerReadiness, type ReadinessCheck } from './http/readiness.ts';
import { createRequestLog } from './http/request-log.ts';
import { mountContract } from './http/router.ts';
import { sendJson } from './http/send-json.ts';
import { callbackPath } from './identity/callback-url.ts';
import { equalSecrets } from './identity/equal-secrets.ts';
import { defaultKeptReleases } from './images/release-digests.ts';
import { createMetrics, type Metrics } from './metrics/metrics.ts';
import { landingPage } from './pages/landing-page.ts';
import { sendPage } from './pages/page.ts';
import { releaseHandlers } from './releases/routes.ts';
import { activityHandlers } from './routes/activity.ts';
import { apiTokenHandlers } from './routes/api-tokens.ts';
import { auditHandlers } from './routes/audit.ts';
import { checkoutHandlers } from './routes/checkout.ts';
import type { Ports, RouteDeps } from './routes/deps.ts';
import { devicePages } from './routes/device.ts';
import { domainHandlers } from './routes/domains.ts';
import { endsTokens } from './routes/ends-tokens.ts';
import { loginHandlers } from './routes/login.ts';
import { handleLoginCallback } from './routes/login-callback.ts';
import { logHandlers } from './routes/logs.ts';
import { standardOAuthRoutes } from './routes/oauth-standard.ts';
import { referenceRoutes } from './routes/reference.ts';
import { secretHandlers } from './routes/secrets.ts';
import { subscriptionHandlers } from './routes/subscription.ts';
import { tenantChangeHandlers } from './routes/tenant-changes.ts';
import { tenantHandlers } from './routes/tenants.ts';
import { userHandlers } from './routes/user.ts';
import { handleWebhook } from './routes/webhook.ts';
import { countPendingMigrations } from './store/pending-migrations.ts';
import { createAuthenticator } from './tokens/authenticator.ts';

export type { Ports } from './routes/deps.ts';

/** Facts about one installation of the API. */
export interface ManagementApiOptions {
  /** The public address, without a slash at the end: `https://api.example.com`. */
  readonly baseUrl: string;
  /** The host of a new tenant's page, from its name and a suffix that makes it unique. */
  hostname(name: string, suffix: string, appName: string): string;
  /** The address of a tenant's page. */
  appUrl(hostname: string): string;
  readonly logger: Logger;
  /** Whoever signs with one of these may say that somebody has paid. */
  readonly webhookSecrets: readonly string[];
  /** How old a webhook may be, in seconds. @defaultValue 300 */
  readonly webhookToleranceSeconds?: number | undefined;
  /** How long people who owe are waited for, and how long what they leave behind is kept. */
  readonly subscriptionTerms?: SubscriptionTerms | undefined;
  /** Of how many of a tenant's last images a rollback may bring back one. @defaultValue 20 */
  readonly keptReleases?: number | undefined;
  /** The sandbox providers whose pages are shown; without it there are none. */
  readonly sandbox?: { readonly identity?: { readonly pages: Hono }; readonly billing?: { readonly pages: Hono } };
  /** Ends the event streams that are open. @defaultValue never */
  readonly signal?: AbortSignal | undefined;
  /** Pause between the signs of life in an event stream. @defaultValue 15000 */
  readonly heartbeatMs?: number | undefined;
  /** How long a deploy request waits for the result before it answers `deploying`. @defaultValue 25000 */
  readonly deployPatienceMs?: number | undefined;
  /** Limits over the defaults of `defaultRateLimits`; `false` for none. */
  readonly rateLimits?: Partial<RateLimits> | false | undefined;
  /**
   * The header in which the proxy in front of the API tells the client's address, as `fly-client-ip`. Without it the
   * address is that of the connection: `api.fetch(request, env)` with the `env` of `@hono/node-server`.
   */
  readonly trustedProxyHeader?: string | undefined;
  /** Measures this process. @defaultValue one of its own when there is a `metricsToken` */
  readonly metrics?: Metrics | undefined;
  /** Who brings it as bearer token may read `/metrics`; without it there is no such address. */
  readonly metricsToken?: string | undefined;
  /** Further parts that `/readyz` asks; database and migrations are asked always. */
  readonly readinessChecks?: Readonly<Record<string, ReadinessCheck>> | undefined;
  /** Milliseconds since 1970. @defaultValue `Date.now` */
  readonly now?: (() => number) | undefined;
}

/**
 * The Management API over its ports: `api.fetch(request)` answers a web-standard request.
 * Starts nothing and holds nothing: what runs is in the ports.
 */
export function createManagementApi(ports: Ports, options: ManagementApiOptions): HttpApp {
  const { baseUrl, logger, webhookSecrets, webhookToleranceSeconds, subscriptionTerms: terms, sandbox = {} } = options;
  const { signal = new AbortController().signal, heartbeatMs, deployPatienceMs = 25_000, now = Date.now } = options;
  const { keptReleases = defaultKeptReleases } = options;
  const { rateLimits = {}, trustedProxyHeader, metricsToken, readinessChecks = {} } = options;
  const { store, vault, tokens } = ports;
  const metrics = options.metrics ?? (metricsToken === undefined ? undefined : createMetrics({ store }));
  const audit = createAuditLog({ store, logger, now });
  const authenticator = createAuthenticator({ store, tokens, now, signal });
  const limiter = createRateLimiter({ store }, rateLimits);
  const answers = createAnswerCache({ notices: store.notices, signal });
  const presence = createPresence(store);
  signal.addEventListener('abort', () => void presence.leave(), { once: true });
  const deps: RouteDeps = {
    ...ports,
    baseUrl,
    logger,
    audit,
    now,
    deployPatienceMs,
    keptReleases,
    hostname: (name, suffix, appName) => options.hostname(name, suffix, appName),
    appUrl: (hostname) => options.appUrl(hostname),
  };
  const app = createHttpApp({ logger, trustedProxyHeader, metrics });
  if (sandbox.identity !== undefined) refuseForeignHosts(app, { baseUrl });

  app.get('/', (context) => {
    if (context.req.header('accept')?.includes('text/html')) return sendPage(context, landingPage());
    return context.json({ service: 'systemprompt-management-api', api: `${baseUrl}/api/v1` });
  });
  app.get('/healthz', (context) => sendJson(context, '{"status":"ok"}'));
  const checks: Readonly<Record<string, ReadinessCheck>> = {
    database: async () => void (await store.pool.query('select 1')),
    migrations: async () => {
      const pending = await countPendingMigrations(store);
      if (pending > 0) throw new Error(`${pending} migrations are pending`);
    },
    ...readinessChecks,
  };
  app.get('/readyz', (context) => answerReadiness(context, { checks, logger }));
  if (metrics !== undefined && metricsToken !== undefined) {
    app.get('/metrics', async (context) => {
      if (!equalSecrets(context.req.header('authorization') ?? '', `Bearer ${metricsToken}`)) throw unauthorized();
      const { contentType, body } = await metrics.render();
      return context.body(body, 200, { 'content-type': contentType });
    });
  }
  app.get('/.well-known/jwks.json', async (context) => {
    context.header('cache-control', 'public, max-age=300');
    return context.json(await ports.tokens.jwks());
  });

  app.route('/', referenceRoutes({ baseUrl }));
  limitAddresses(app, limiter);
  const forget = (): void => authenticator.clear();
  const auth = endsTokens(loginHandlers(deps), forget);
  // Before the contract's own routes: requests with OAuth's forms are answered here, those in JSON go on to them.
  app.route('/', standardOAuthRoutes({ baseUrl, handlers: auth, identity: ports.identity }));
  app.route('/', devicePages(deps));
  mountContract(
    app,
    {
      auth,
      user: userHandlers(deps),
      ...checkoutHandlers(deps),
      apiTokens: endsTokens(apiTokenHandlers(deps), forget),
      tenants: { ...tenantHandlers(deps), ...tenantChangeHandlers(deps), ...logHandlers(deps), ...auditHandlers(deps) },
      domains: domainHandlers(deps),
      subscription: subscriptionHandlers(deps),
      activity: activityHandlers(deps),
      secrets: secretHandlers(deps),
      releases: releaseHandlers(deps),
    },
    { store, vault, authenticator, limiter, answers, audit, presence, metrics, logger, signal, heartbeatMs },
  );
  app.get(callbackPath, (context) => {
    // It would use up the login, and show nobody what came of it.
    if (context.req.method === 'HEAD') throw methodNotAllowed(['GET']);
    return handleLoginCallback(context, deps);
  });
  app.post('/api/v1/webhooks/paddle', (context) =>
    handleWebhook(context, { ...deps, webhookSecrets, webhookToleranceSeconds, terms }),
  );

  if (sandbox.identity !== undefined) app.route('/', sandbox.identity.pages);
  if (sandbox.billing !== undefined) app.route('/', sandbox.billing.pages);
  // `/v2/*` is also `/v2` and `/v2/`.
  app.all('/v2/*', (context) => ports.images.fetch(context.req.raw));

  const logRequest = createRequestLog({ logger, metrics });
  const quick = createQuickReads({ authenticator, answers, limiter, trustedProxyHeader, logRequest });
  const answer = app.fetch;
  app.fetch = (request, env, context) => quick(request, env) ?? answer(request, env, context);
  return app;
}
