import type { ProvisioningEvent } from '@sp/cloud-api';
import { type Child, element } from './element.ts';
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
  const list = element('ol', { class: 'timeline', 'aria-live': 'polite', 'aria-relevant': 'additions' });
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
  const steps = events.map((event) => drawStep(toneOf(event), describeEvent(event.eventType), event.message));
  if (happened.has('infrastructure_ready') || happened.has('tenant_deleted')) return steps;
  const [current, ...later] = provisioningSteps.filter((step) => !happened.has(step));
  const failed = events.at(-1)?.eventType === 'provisioning_failed';
  return [
    ...steps,
    current === undefined || failed ? undefined : drawStep('current', describeEvent(current)),
    ...(failed ? [] : later).map((step) => drawStep('later', describeEvent(step))),
  ];
}

function toneOf({ eventType }: ProvisioningEvent): string {
  return eventType === 'provisioning_failed' ? 'failed' : 'done';
}

const unseenWords: Readonly<Record<string, string>> = { current: ' (now)', later: ' (to come)' };

function drawStep(tone: string, label: string, message?: string): HTMLElement {
  const unseen = unseenWords[tone];
  return element(
    'li',
    { class: tone, 'aria-current': tone === 'current' ? 'step' : undefined },
    element('span', {}, label, unseen !== undefined && element('span', { class: 'unseen' }, unseen)),
    message !== undefined && element('span', { class: 'quiet' }, message),
  );
}
