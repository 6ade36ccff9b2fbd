import type { CloudApiClient, Release, TenantInfo, TenantStatus } from '@sp/cloud-api';
import { type Child, element } from './element.ts';
import { badge, commandLine, externalLink } from './parts.ts';
import { isAborted } from './problem.ts';
import { createRegion } from './region.ts';
import { routeHref } from './route.ts';
import type { ViewContext } from './view.ts';
import { repeat, whileVisible } from './while-visible.ts';
import { formatTime } from './words.ts';

interface Row {
  readonly tenant: TenantInfo;
  readonly status: TenantStatus;
  readonly release: Release | undefined;
}

const pauseMs = 3_000;

/** All tenants of the person, kept up to date. */
export function showTenants(context: ViewContext): void {
  const { api, place, signal, title, complain, calm } = context;
  title('Tenants', element('a', { class: 'button primary', href: routeHref({ view: 'new' }) }, 'New tenant'));
  const list = element('div', {}, element('p', { class: 'quiet' }, 'Loading…'));
  place.append(list);
  const region = createRegion<readonly Row[]>(list, (rows) => (rows.length === 0 ? [drawEmpty()] : [drawTable(rows)]));
  whileVisible(signal, (visible) =>
    repeat(visible, { pauseMs }, async () => {
      try {
        region.show(await load(api, visible));
        calm();
      } catch (error) {
        if (!isAborted(error)) complain(error);
      }
    }),
  );
}

async function load(api: CloudApiClient, signal: AbortSignal): Promise<readonly Row[]> {
  const { tenants } = await api.user.get({ signal });
  return await Promise.all(
    tenants.map(async (tenant) => {
      const [status, releases] = await Promise.all([
        api.tenants.getStatus(tenant.id, { signal }),
        api.releases.list(tenant.id, { signal }),
      ]);
      return { tenant, status, release: releases.find((release) => release.status === 'running') };
    }),
  );
}

function drawTable(rows: readonly Row[]): HTMLElement {
  const columns = ['Name', 'State', 'Plan', 'Region', 'Address', 'Release'];
  const head = element('tr', {}, ...columns.map((name) => element('th', { scope: 'col' }, name)));
  return element(
    'div',
    { class: 'card' },
    element(
      'table',
      { class: 'stackable' },
      element('caption', { class: 'unseen' }, 'Your tenants'),
      element('thead', {}, head),
      element('tbody', {}, ...rows.map(drawRow)),
    ),
  );
}

function drawRow({ tenant, status, release }: Row): HTMLElement {
  const { id, name, plan, region = '', hostname = '' } = tenant;
  const href = routeHref({ view: 'tenant', id });
  const cell = (label: string, ...children: readonly Child[]): HTMLElement =>
    element('td', { 'data-label': label }, ...children);
  return element(
    'tr',
    {},
    element('th', { scope: 'row' }, element('a', { href, 'data-key': `tenant ${id}` }, name)),
    cell('State', badge(status.status)),
    cell('Plan', plan?.name),
    cell('Region', region),
    cell(
      'Address',
      status.appUrl === undefined
        ? element('span', { class: 'quiet' }, hostname)
        : externalLink(status.appUrl, hostname),
    ),
    cell(
      'Release',
      release === undefined
        ? element('span', { class: 'quiet' }, 'None yet')
        : element('span', { title: formatTime(release.createdAt) }, `#${release.number}`),
    ),
  );
}

function drawEmpty(): HTMLElement {
  const environment = location.port === '7300' ? 'local' : location.origin;
  return element(
    'section',
    { class: 'card empty' },
    element('h2', {}, 'No tenants yet'),
    element(
      'p',
      { class: 'quiet' },
      'A tenant runs one project: a machine, a database and an address. Make one here, or from the folder of your project:',
    ),
    commandLine(`systemprompt cloud auth login --environment ${environment}`),
    commandLine('systemprompt cloud init'),
    commandLine('systemprompt cloud tenant create'),
    element(
      'p',
      {},
      element('a', { class: 'button primary', href: routeHref({ view: 'new' }) }, 'Make the first tenant'),
    ),
  );
}
