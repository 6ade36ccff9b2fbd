import type { Release, TenantInfo, TenantStatus } from '@sp/cloud-api';
import { isCloudApiError } from '@sp/cloud-api';
import { element } from './element.ts';
import { badge, card, commandLine, externalLink, factList } from './parts.ts';
import { isAborted } from './problem.ts';
import { createRegion } from './region.ts';
import { routeHref } from './route.ts';
import { drawActions } from './tenant-actions.ts';
import { drawAudit } from './tenant-audit.ts';
import { drawLogs } from './tenant-logs.ts';
import { drawReleases } from './tenant-releases.ts';
import { drawTimeline } from './tenant-timeline.ts';
import type { ViewContext } from './view.ts';
import { repeat, whileVisible } from './while-visible.ts';
import { describeState } from './words.ts';

/** A tenant as it is now. */
export interface Look {
  readonly tenant: TenantInfo;
  readonly status: TenantStatus;
  readonly releases: readonly Release[];
}

const pauseMs = 2_000;

/** One tenant: what it is, what happens to it, what ran and what it says. */
export function showTenant(context: ViewContext, id: string): void {
  const { api, place, signal, title, announce, complain, calm, navigate } = context;
  const all = (): HTMLElement =>
    element('a', { href: routeHref({ view: 'tenants' }), 'data-key': 'all' }, 'All tenants');
  title('Tenant', all());
  const places = { head: element('div', { class: 'head' }), next: element('div'), facts: element('div') };
  const timeline = drawTimeline(context, id);
  const releases = drawReleases(context, id);
  const logs = drawLogs(context, id);
  const audit = drawAudit(context, id);
  const columns = element('div', { class: 'columns' }, timeline.card, element('div', {}, releases.card, places.facts));
  place.append(places.head, places.next, columns, logs.card, audit.card);

  const head = createRegion<Look>(places.head, ({ tenant, status }) => [
    badge(status.status),
    status.appUrl === undefined ? undefined : externalLink(status.appUrl, new URL(status.appUrl).host),
    drawActions(context, { tenant, status }),
  ]);
  const next = createRegion<TenantStatus>(places.next, (status) => drawNext(status));
  const facts = createRegion<TenantInfo>(places.facts, (tenant) => [drawFacts(tenant)]);
  let last: Look | undefined;

  whileVisible(signal, (visible) =>
    repeat(visible, { pauseMs }, async () => {
      try {
        const [tenant, status, list] = await Promise.all([
          api.tenants.get(id, { signal: visible }),
          api.tenants.getStatus(id, { signal: visible }),
          api.releases.list(id, { signal: visible }),
        ]);
        const look = { tenant, status, releases: list };
        if (last?.tenant.name !== tenant.name) title(tenant.name, all());
        if (last !== undefined && last.status.status !== status.status) {
          announce(`${tenant.name}: ${describeState(status.status).label}`);
        }
        const moved = last?.status.status !== status.status || last.releases[0]?.id !== list[0]?.id;
        last = look;
        head.show(look);
        next.show(status);
        facts.show(tenant);
        releases.show(look);
        logs.show(look);
        if (moved) {
          timeline.refresh();
          audit.refresh();
        }
        calm();
      } catch (error) {
        if (isAborted(error)) return;
        const isGone = isCloudApiError(error) && error.code === 'SP_API_NOT_FOUND';
        if (isGone && last !== undefined) {
          // It was there: somebody deleted it.
          announce(`${last.tenant.name} is deleted.`);
          navigate({ view: 'tenants' });
          return;
        }
        if (isGone) place.replaceChildren(element('p', {}, element('a', { href: '#/' }, 'Back to all tenants')));
        complain(error);
      }
    }),
  );
}

function drawNext({ status, message }: TenantStatus): readonly HTMLElement[] {
  const reason = message === undefined ? undefined : element('p', { class: 'error' }, message);
  if (status === 'awaiting_deploy') {
    return [
      card(
        'Next',
        reason,
        element('p', {}, 'Deploy from the folder of your project:'),
        commandLine('systemprompt cloud deploy'),
      ),
    ];
  }
  return reason === undefined ? [] : [card('What went wrong', reason)];
}

function drawFacts(tenant: TenantInfo): HTMLElement {
  const { id, plan, region, hostname, appId, subscriptionStatus, databaseUrl, externalDbAccess } = tenant;
  const machine = plan === undefined ? undefined : `${plan.memoryMb} MB memory, ${plan.volumeGb} GB storage`;
  return card(
    'Details',
    factList({
      Plan: plan?.name,
      Machine: machine,
      Region: region,
      Host: hostname,
      App: appId === undefined ? undefined : element('code', {}, appId),
      Subscription: subscriptionStatus,
      Database: element('code', {}, databaseUrl),
      'Database from outside': externalDbAccess ? 'On' : 'Off',
      Id: element('code', {}, id),
    }),
  );
}
