import type { ProvisioningEvent } from '@sp/cloud-api';
import { type Child, element } from './element.ts';
import { ago, clock, describeDuration, since } from './moment.ts';
import { card } from './parts.ts';
import { isAborted } from './problem.ts';
import { createRegion } from './region.ts';
import type { ViewContext } from './view.ts';
import { pause, whileVisible } from './while-visible.ts';
import { describeEvent, provisioningSteps } from './words.ts';

/** A part of the view with its own life. */
export interface Timeline {
  readonly card: HTMLElement;
  /** Looks for more after something happened that may have made events. */
  refresh(): void;
}

const retryMs = 3_000;

/** What happened to a tenant since its beginning, as it happens, and which steps are still to come. */
export function drawTimeline(context: ViewContext, id: string): Timeline {
  const { api, signal, complain } = context;
  const list = element('ol', { class: 'timeline' });
  const region = createRegion<readonly ProvisioningEvent[]>(list, drawSteps);
  let shown = 0;
  let wake: (() => void) | undefined;

  // The server ends the stream when nothing goes on; each new one begins with what is known already.
  const follow = async (visible: AbortSignal): Promise<void> => {
    while (!visible.aborted) {
      const again = new Promise<void>((resolve) => (wake = resolve));
      const seen: ProvisioningEvent[] = [];
      try {
        for await (const event of api.tenants.events(id, { signal: visible })) {
          seen.push(event);
          if (seen.length < shown) continue;
          shown = seen.length;
          region.show(seen);
        }
        await Promise.race([again, pause(60_000, visible)]);
      } catch (error) {
        if (isAborted(error)) return;
        complain(error);
        await pause(retryMs, visible);
      }
    }
  };
  whileVisible(signal, follow);
  return { card: card('Timeline', list), refresh: () => wake?.() };
}

function drawSteps(events: readonly ProvisioningEvent[]): readonly Child[] {
  const happened = new Set(events.map((event) => event.eventType));
  const steps = events.map((event, index) =>
    drawStep(
      toneOf(event),
      describeEvent(event.eventType),
      event.message !== undefined && element('span', { class: 'quiet' }, event.message),
      drawTimes(event, events[index - 1]),
    ),
  );
  if (happened.has('infrastructure_ready') || happened.has('tenant_deleted')) return steps;
  const [current, ...later] = provisioningSteps.filter((step) => !happened.has(step));
  const failed = events.at(-1)?.eventType === 'provisioning_failed';
  const begun = events.at(-1)?.occurredAt;
  const going = begun !== undefined && element('span', { class: 'quiet' }, since(begun));
  return [
    ...steps,
    current === undefined || failed ? undefined : drawStep('current', describeEvent(current), going),
    ...(failed ? [] : later).map((step) => drawStep('later', describeEvent(step))),
  ];
}

/** When it happened, how long ago that is, and how long it took since the step before it. */
function drawTimes({ eventType, occurredAt }: ProvisioningEvent, before: ProvisioningEvent | undefined): Child {
  if (occurredAt === undefined) return undefined;
  const isStep = provisioningSteps.includes(eventType) && before?.occurredAt !== undefined;
  const took = isStep ? Date.parse(occurredAt) - Date.parse(before?.occurredAt ?? '') : undefined;
  return element(
    'span',
    { class: 'quiet times' },
    clock(occurredAt),
    ago(occurredAt),
    took !== undefined && took >= 50 && element('span', {}, `took ${describeDuration(took)}`),
  );
}

function toneOf({ eventType }: ProvisioningEvent): string {
  return eventType === 'provisioning_failed' ? 'failed' : 'done';
}

const unseenWords: Readonly<Record<string, string>> = { current: ' (now)', later: ' (to come)' };

function drawStep(tone: string, label: string, ...details: readonly Child[]): HTMLElement {
  const unseen = unseenWords[tone];
  return element(
    'li',
    { class: tone, 'aria-current': tone === 'current' ? 'step' : undefined },
    element('span', {}, label, unseen !== undefined && element('span', { class: 'unseen' }, unseen)),
    ...details,
  );
}
