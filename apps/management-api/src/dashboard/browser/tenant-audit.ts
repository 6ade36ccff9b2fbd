import type { AuditEntry } from '@sp/cloud-api';
import { element } from './element.ts';
import { ago, clock } from './moment.ts';
import { card } from './parts.ts';
import { isAborted } from './problem.ts';
import { createRegion } from './region.ts';
import type { Timeline } from './tenant-timeline.ts';
import type { ViewContext } from './view.ts';

const limit = 50;

/** Who did what to the tenant. */
export function drawAudit(context: ViewContext, id: string): Timeline {
  const { api, signal, complain } = context;
  const list = element('div', {}, element('p', { class: 'quiet' }, 'Loading…'));
  const region = createRegion<readonly AuditEntry[]>(list, (entries) =>
    entries.length === 0 ? [element('p', { class: 'quiet' }, 'Nobody changed anything yet.')] : [drawTable(entries)],
  );
  return {
    card: card('Audit log', list),
    refresh: () => {
      api.tenants.listAuditEntries(id, { limit, signal }).then(
        (entries) => region.show(entries),
        (error: unknown) => {
          if (!isAborted(error)) complain(error);
        },
      );
    },
  };
}

function drawTable(entries: readonly AuditEntry[]): HTMLElement {
  const columns = ['Time', 'Who', 'What', 'Outcome', 'Request'];
  return element(
    'table',
    { class: 'stackable' },
    element('caption', { class: 'unseen' }, 'What was done to the tenant, the latest first'),
    element('thead', {}, element('tr', {}, ...columns.map((name) => element('th', { scope: 'col' }, name)))),
    element('tbody', {}, ...entries.map(drawEntry)),
  );
}

function drawEntry({ time, actor, action, outcome, code, repeated, requestId = '' }: AuditEntry): HTMLElement {
  const tone = outcome === 'succeeded' ? 'good' : 'bad';
  return element(
    'tr',
    {},
    element(
      'td',
      { 'data-label': 'Time' },
      element('div', {}, clock(time), ' ', element('span', { class: 'quiet small-text' }, ago(time))),
    ),
    element('td', { 'data-label': 'Who' }, actor.email ?? actor.kind),
    element('td', { 'data-label': 'What' }, repeated === undefined ? action : `${action}, ${repeated} more times`),
    element('td', { 'data-label': 'Outcome' }, element('span', { class: `badge ${tone}` }, code ?? outcome)),
    element('td', { 'data-label': 'Request' }, element('code', { class: 'quiet' }, requestId)),
  );
}
