import type { Release } from '@sp/cloud-api';
import { confirm } from './confirm.ts';
import { type Child, element, workButton } from './element.ts';
import { ago, clock, describeDuration, since } from './moment.ts';
import { badge, card } from './parts.ts';
import { createRegion } from './region.ts';
import type { Look } from './tenant-view.ts';
import type { ViewContext } from './view.ts';
import { shortDigest } from './words.ts';

interface Shown {
  readonly releases: readonly Release[];
  /** Whether another release can be brought back now. */
  readonly open: boolean;
}

/** What was deployed, and the way back to it. */
export function drawReleases(
  context: ViewContext,
  tenantId: string,
): { readonly card: HTMLElement; show(look: Look): void } {
  const list = element('div', {}, element('p', { class: 'quiet' }, 'Loading…'));
  const region = createRegion<Shown>(list, ({ releases, open }) => {
    if (releases.length === 0) return [element('p', { class: 'quiet' }, 'Nothing was deployed yet.')];
    return [
      element('ol', { class: 'releases' }, ...releases.map((release) => draw(context, { tenantId, release, open }))),
    ];
  });
  return {
    card: card('Releases', list),
    show: ({ releases, status }) => region.show({ releases, open: status.status === 'running' }),
  };
}

function draw(
  context: ViewContext,
  request: { readonly tenantId: string; readonly release: Release; readonly open: boolean },
): HTMLElement {
  const { tenantId, release, open } = request;
  const { number, digest, status, createdAt, finishedAt, createdBy, failure, rollbackOf } = release;
  const took = finishedAt === undefined ? undefined : Date.parse(finishedAt) - Date.parse(createdAt);
  const details: readonly Child[] = [
    element('code', { title: digest }, shortDigest(digest)),
    clock(createdAt),
    ago(createdAt),
    took === undefined ? since(createdAt) : element('span', {}, `took ${describeDuration(took)}`),
    createdBy === undefined ? undefined : element('span', {}, createdBy),
    rollbackOf === undefined ? undefined : element('span', {}, `brought back #${rollbackOf}`),
  ];
  return element(
    'li',
    {},
    element(
      'div',
      { class: 'line' },
      element('strong', {}, `#${number}`),
      badge(status),
      open && status === 'superseded' && rollbackButton(context, { tenantId, release: number }),
    ),
    element('div', { class: 'quiet facts' }, ...details),
    failure === undefined ? undefined : element('p', { class: 'error' }, failure),
  );
}

function rollbackButton(
  { api, announce, complain, calm }: ViewContext,
  { tenantId, release }: { readonly tenantId: string; readonly release: number },
): HTMLElement {
  return workButton(
    { class: 'small', 'data-key': `rollback ${release}`, 'aria-label': `Roll back to release ${release}` },
    'Roll back',
    async () => {
      const text = `The image and the secrets of release #${release} come back as a new release.`;
      if (!(await confirm({ title: `Roll back to #${release}?`, text, action: 'Roll back' }))) return;
      calm();
      announce(`Rolling back to release ${release}.`);
      await api.releases.rollback(tenantId, { release }).then(() => undefined, complain);
    },
  );
}
