import type { LogEntry } from '@sp/cloud-api';
import { element } from './element.ts';
import { card } from './parts.ts';
import { describeProblem, isAborted } from './problem.ts';
import type { Look } from './tenant-view.ts';
import type { ViewContext } from './view.ts';
import { pause, whileVisible } from './while-visible.ts';

/** So many lines stay on the page. */
const limit = 500;
const retryMs = 3_000;

/** What the tenant's machine writes. Follows it until somebody says that it should stand still. */
export function drawLogs(context: ViewContext, id: string): { readonly card: HTMLElement; show(look: Look): void } {
  const { api, signal } = context;
  const lines = element('div', { class: 'log', role: 'log', 'aria-live': 'off', 'aria-label': 'Output', tabindex: 0 });
  const note = element('p', { class: 'quiet' }, 'There is no output before the first deploy.');
  const follow = element('input', { type: 'checkbox', id: 'follow', checked: true });
  const controls = element('div', { class: 'line' }, element('label', { for: 'follow' }, follow, 'Follow'));
  controls.hidden = true;
  let started = false;

  const add = (entry: LogEntry): void => {
    note.hidden = true;
    lines.hidden = false;
    controls.hidden = false;
    const atEnd = lines.scrollHeight - lines.scrollTop - lines.clientHeight < 40;
    lines.append(drawEntry(entry));
    while (lines.childElementCount > limit) lines.firstElementChild?.remove();
    if (atEnd) lines.scrollTop = lines.scrollHeight;
  };

  const read = async (visible: AbortSignal): Promise<void> => {
    while (!visible.aborted) {
      try {
        lines.replaceChildren();
        for await (const entry of api.tenants.followLogs(id, { tail: 200, signal: visible })) add(entry);
        return;
      } catch (error) {
        if (isAborted(error)) return;
        note.hidden = false;
        note.textContent = describeProblem(error).text;
        await pause(retryMs, visible);
      }
    }
  };

  // One stream at a time: the switch ends it, and begins a new one.
  let stop: AbortController | undefined;
  const update = (): void => {
    stop?.abort();
    stop = undefined;
    if (!started || !follow.checked || signal.aborted) return;
    const own = new AbortController();
    stop = own;
    whileVisible(AbortSignal.any([signal, own.signal]), read);
  };
  follow.addEventListener('change', update);
  lines.hidden = true;

  return {
    card: card('Logs', controls, note, lines),
    show: ({ releases }) => {
      if (started || releases.length === 0) return;
      started = true;
      update();
    },
  };
}

function drawEntry({ time, stream, message, releaseNumber }: LogEntry): HTMLElement {
  const clock = new Date(time).toLocaleTimeString(undefined, { hour12: false });
  const release = releaseNumber === undefined ? '' : ` #${releaseNumber}`;
  return element(
    'div',
    { class: stream === 'stderr' ? 'stderr' : undefined },
    element('time', { datetime: time }, `${clock}${release} `),
    message,
  );
}
