import type { CloudApiClient, Release, TenantInfo } from '@sp/cloud-api';
import { type Child, element } from './element.ts';
import { ago } from './moment.ts';
import { badge, commandLine, externalLink } from './parts.ts';
import { isAborted } from './problem.ts';
import { createRegion } from './region.ts';
import { routeHref } from './route.ts';
import { chooseTenants, countStates } from './tenant-choice.ts';
import type { ViewContext } from './view.ts';
import { repeat, whileVisible } from './while-visible.ts';
import { describeState } from './words.ts';

/** A tenant with the release that runs: `null` for none, `undefined` while that is not known. */
interface Row {
  readonly tenant: TenantInfo;
  readonly release: Release | null | undefined;
}

interface Shown {
  readonly rows: readonly Row[];
  readonly total: number;
}

const pauseMs = 3_000;
/** From so many tenants on there is something to choose from. */
const many = 4;
/** So many releases are asked for at once: a browser has six connections for one server. */
const atOnce = 3;

/** All tenants of the person, those that need somebody first, kept up to date. */
export function showTenants(context: ViewContext): void {
  const { api, place, signal, title, complain, calm } = context;
  title('Tenants', element('a', { class: 'button primary', href: routeHref({ view: 'new' }) }, 'New tenant'));
  const states = element('div', { class: 'states', role: 'group', 'aria-label': 'Show only' });
  const search = element('input', { type: 'search', id: 'search', autocomplete: 'off', spellcheck: 'false' });
  const choice = element(
    'div',
    { class: 'choice-bar', hidden: true },
    states,
    element('label', { class: 'search', for: 'search' }, element('span', {}, 'Find'), search),
  );
  const list = element('div', {}, element('p', { class: 'quiet' }, 'Loading…'));
  const count = element('p', { class: 'unseen', role: 'status' });
  place.append(choice, list, count);

  const releases = createRunningReleases(api, () => draw());
  let tenants: readonly TenantInfo[] | undefined;
  let wanted: string | undefined;

  const table = createRegion<Shown>(list, ({ rows, total }) => {
    if (total === 0) return [drawEmpty()];
    if (rows.length === 0) return [element('p', { class: 'quiet' }, 'No tenant is like that.')];
    return [drawTable(rows)];
  });
  const buttons = createRegion<{ readonly counts: ReturnType<typeof countStates>; readonly wanted: unknown }>(
    states,
    ({ counts }) => [
      stateButton('All', undefined, tenants?.length ?? 0),
      ...counts.map(([s, n]) => stateButton(describeState(s).label, s, n)),
    ],
  );
  const stateButton = (label: string, state: string | undefined, amount: number): HTMLElement =>
    element(
      'button',
      {
        type: 'button',
        class: `small ${state === undefined ? '' : describeState(state).tone}`,
        'data-key': `state ${state ?? ''}`,
        'aria-pressed': String(wanted === state),
        onclick: () => {
          wanted = state;
          draw();
        },
      },
      `${label} `,
      element('strong', {}, String(amount)),
    );

  function draw(): void {
    if (tenants === undefined) return;
    const counts = countStates(tenants);
    // Nobody is in it any more.
    if (wanted !== undefined && !counts.some(([state]) => state === wanted)) wanted = undefined;
    const chosen = chooseTenants(tenants, { state: wanted, text: search.value });
    choice.hidden = tenants.length < many;
    buttons.show({ counts, wanted: wanted ?? '' });
    table.show({ rows: chosen.map((tenant) => ({ tenant, release: releases.of(tenant) })), total: tenants.length });
    const isAll = wanted === undefined && search.value === '';
    const text = isAll ? '' : `${chosen.length} of ${tenants.length} tenants`;
    if (count.textContent !== text) count.textContent = text;
  }
  search.addEventListener('input', draw);

  whileVisible(signal, (visible) =>
    repeat(visible, { pauseMs }, async () => {
      try {
        ({ tenants } = await api.user.get({ signal: visible }));
        draw();
        calm();
        await releases.load(chooseTenants(tenants, { state: undefined, text: '' }), visible);
      } catch (error) {
        if (!isAborted(error)) complain(error);
      }
    }),
  );
}

/** The releases that run, asked for once for each state that a tenant comes into. */
function createRunningReleases(api: CloudApiClient, changed: () => void) {
  const known = new Map<string, { readonly of: string; readonly release: Release | null }>();
  const mark = ({ state = '', version = 0 }: TenantInfo): string => `${state} ${version}`;
  return {
    of: ({ id }: TenantInfo): Release | null | undefined => known.get(id)?.release,
    load: async (tenants: readonly TenantInfo[], signal: AbortSignal): Promise<void> => {
      const missing = tenants.filter((tenant) => known.get(tenant.id)?.of !== mark(tenant));
      const work = async (): Promise<void> => {
        for (let tenant = missing.shift(); tenant !== undefined; tenant = missing.shift()) {
          const list = await api.releases.list(tenant.id, { signal });
          const release = list.find(({ status }) => status === 'running') ?? null;
          known.set(tenant.id, { of: mark(tenant), release });
          changed();
        }
      };
      await Promise.all(Array.from({ length: atOnce }, work));
    },
  };
}

function drawTable(rows: readonly Row[]): HTMLElement {
  const columns = ['Name', 'State', 'Release', 'Address', 'Plan', 'Region'];
  const head = element('tr', {}, ...columns.map((name) => element('th', { scope: 'col' }, name)));
  return element(
    'div',
    { class: 'card' },
    element(
      'table',
      { class: 'stackable fleet' },
      element('caption', { class: 'unseen' }, 'Your tenants'),
      element('thead', {}, head),
      element('tbody', {}, ...rows.map(drawRow)),
    ),
  );
}

function drawRow({ tenant, release }: Row): HTMLElement {
  const { id, name, plan, region = '', hostname = '', state = '', message } = tenant;
  const href = routeHref({ view: 'tenant', id });
  const cell = (label: string, ...children: readonly Child[]): HTMLElement =>
    element('td', { 'data-label': label }, element('div', {}, ...children));
  const isUp = state === 'running';
  return element(
    'tr',
    {},
    element('th', { scope: 'row' }, element('a', { href, 'data-key': `tenant ${id}` }, name)),
    cell('State', badge(state), message !== undefined && element('div', { class: 'error reason' }, message)),
    cell('Release', ...drawRelease(release)),
    cell('Address', isUp ? externalLink(addressOf(hostname), hostname) : element('span', { class: 'quiet' }, hostname)),
    cell('Plan', plan?.name),
    cell('Region', region),
  );
}

function drawRelease(release: Row['release']): readonly Child[] {
  if (release === undefined) return [element('span', { class: 'quiet' }, '…')];
  if (release === null) return [element('span', { class: 'quiet' }, 'None yet')];
  return [
    `#${release.number} `,
    element('span', { class: 'quiet small-text' }, ago(release.finishedAt ?? release.createdAt)),
  ];
}

/** Tenants of a local cloud are below the address of this page, which has its protocol. */
function addressOf(hostname: string): string {
  return `${location.protocol}//${hostname}`;
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
