import { element } from './element.ts';

const units: readonly (readonly [unit: Intl.RelativeTimeFormatUnit, seconds: number])[] = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
];
// The page is English; only dates are as the reader writes them.
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });

/** How long ago a moment was: `just now`, `4 minutes ago`, `yesterday`. */
function describeAgo(moment: string, now = Date.now()): string {
  // The server's clock may be ahead of this one.
  const seconds = Math.max(0, (now - Date.parse(moment)) / 1000);
  for (const [unit, size] of units) {
    if (seconds >= size) return relative.format(-Math.floor(seconds / size), unit);
  }
  return seconds < 10 ? 'just now' : `${Math.floor(seconds / 10) * 10} seconds ago`;
}

/** How long something took: `0.4 s`, `12 s`, `3 min 20 s`, `2 h 5 min`. */
export function describeDuration(ms: number): string {
  const seconds = Math.max(0, ms / 1000);
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return whole % 60 === 0 ? `${minutes} min` : `${minutes} min ${whole % 60} s`;
  const hours = Math.floor(minutes / 60);
  return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
}

/** A moment in the reader's own language and time zone; of today without the date. */
function formatMoment(moment: string, now = new Date()): string {
  const date = new Date(moment);
  return date.toDateString() === now.toDateString()
    ? date.toLocaleTimeString(undefined, { timeStyle: 'medium' })
    : date.toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
}

/** A moment as the clock shows it; in full, with its time zone, to whoever points at it. */
export function clock(moment: string): HTMLElement {
  const full = new Date(moment).toLocaleString(undefined, { dateStyle: 'full', timeStyle: 'long' });
  return element('time', { datetime: moment, title: full }, formatMoment(moment));
}

/** How long ago a moment was; {@link keepMoments} moves it on. */
export function ago(moment: string): HTMLElement {
  return element('time', { datetime: moment, 'data-ago': moment, title: formatMoment(moment) }, describeAgo(moment));
}

/** How long something is going on that began at a moment; {@link keepMoments} moves it on. */
export function since(moment: string): HTMLElement {
  return element('span', { 'data-since': moment }, describeSince(moment));
}

function describeSince(moment: string): string {
  return `for ${describeDuration(Math.floor((Date.now() - Date.parse(moment)) / 1000) * 1000).replace('.0', '')}`;
}

/** Keeps what says how long ago something was true while the page is open. */
export function keepMoments(): void {
  setInterval(() => {
    if (document.visibilityState !== 'visible') return;
    for (const place of document.querySelectorAll<HTMLElement>('[data-ago], [data-since]')) {
      const { ago: past, since: begun } = place.dataset;
      const text = past === undefined ? describeSince(begun ?? '') : describeAgo(past);
      if (place.textContent !== text) place.textContent = text;
    }
  }, 1_000);
}
