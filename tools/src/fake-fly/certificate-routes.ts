import { FlyFailure, notFound } from './failure.ts';
import { type FlyContext, type FlyServer, findApp, isoDate } from './fly-context.ts';
import { acmeRequest } from './resource-schemas.ts';
import { route } from './route.ts';
import type { FakeApp, FakeCertificate } from './state.ts';

const path = '/v1/apps/:app/certificates';

export function mountCertificates(server: FlyServer, context: FlyContext): void {
  const find = (request: { readonly app: string; readonly org: string }, hostname: string) => {
    const app = findApp(context, { name: request.app, org: request.org });
    const certificate = app.certificates.get(hostname);
    if (certificate === undefined) throw notFound('certificate');
    return { app, certificate };
  };

  route(server, context, {
    method: 'get',
    path,
    action: 'certificate-list',
    answer: ({ org, app: name }) => {
      const app = findApp(context, { name, org });
      const certificates = Array.from(app.certificates.values(), (certificate) => toWire(app, certificate));
      return { status: 200, body: { certificates } };
    },
  });

  route(server, context, {
    method: 'post',
    path: `${path}/acme`,
    action: 'certificate-create',
    body: acmeRequest,
    answer: ({ org, app: name, body: { hostname } }) => {
      const app = findApp(context, { name, org });
      if (app.certificates.has(hostname)) throw new FlyFailure(409, 'Hostname already exists on app');
      const certificate = { hostname, createdAt: isoDate(context.now()), configured: false };
      app.certificates.set(hostname, certificate);
      return { status: 201, body: toWire(app, certificate) };
    },
  });

  route(server, context, {
    method: 'get',
    path: `${path}/:hostname`,
    action: 'certificate-get',
    answer: (request) => {
      const { app, certificate } = find(request, request.parameter('hostname'));
      return { status: 200, body: toWire(app, certificate) };
    },
  });

  route(server, context, {
    method: 'post',
    path: `${path}/:hostname/check`,
    action: 'certificate-check',
    answer: (request) => {
      const { app, certificate } = find(request, request.parameter('hostname'));
      certificate.configured = context.isConfigured(certificate.hostname);
      return { status: 200, body: toWire(app, certificate) };
    },
  });

  route(server, context, {
    method: 'delete',
    path: `${path}/:hostname`,
    action: 'certificate-delete',
    answer: (request) => {
      const { app, certificate } = find(request, request.parameter('hostname'));
      app.certificates.delete(certificate.hostname);
      return { status: 204 };
    },
  });
}

function toWire(app: FakeApp, { hostname, configured, createdAt }: FakeCertificate): unknown {
  const addresses = Array.from(app.addresses.values());
  return {
    hostname,
    configured,
    acme_requested: true,
    status: configured ? 'active' : 'pending_validation',
    created_at: createdAt,
    rate_limited_until: null,
    dns_requirements: {
      a: addresses.filter(({ type }) => type.endsWith('v4')).map(({ ip }) => ip),
      aaaa: addresses.filter(({ type }) => type.endsWith('v6')).map(({ ip }) => ip),
      cname: `${app.name}.fly.dev`,
      acme_challenge: { name: `_acme-challenge.${hostname}`, target: `${hostname}.${app.id}.flydns.net` },
      ownership: { name: `_fly-ownership.${hostname}`, app_value: `app-${app.id}`, org_value: `org-${app.org}` },
    },
    validation: { dns_configured: configured, alpn_configured: configured },
    validation_errors: configured
      ? []
      : [{ code: 'DNS_RECORDS_MISSING', message: `${hostname} has no record that leads to the app` }],
  };
}
