import type { Child } from './element.ts';

/** A part of the page that is drawn again when what it shows has changed. */
export interface Region<Data> {
  /** Draws `data`, unless it is what is shown already. Focus stays on the element with the same `data-key`. */
  show(data: Data): void;
}

/** Draws into `place` with `draw`. */
export function createRegion<Data>(place: HTMLElement, draw: (data: Data) => readonly Child[]): Region<Data> {
  let shown: string | undefined;
  return {
    show: (data) => {
      const next = JSON.stringify(data);
      if (next === shown) return;
      shown = next;
      const focused = place.contains(document.activeElement) ? keyOf(document.activeElement) : undefined;
      place.replaceChildren(...draw(data).filter((child) => child !== undefined && child !== false));
      if (focused === undefined) return;
      for (const candidate of place.querySelectorAll<HTMLElement>('[data-key]')) {
        if (keyOf(candidate) === focused) candidate.focus();
      }
    },
  };
}

function keyOf(focused: Element | null): string | undefined {
  return focused instanceof HTMLElement ? focused.dataset['key'] : undefined;
}
