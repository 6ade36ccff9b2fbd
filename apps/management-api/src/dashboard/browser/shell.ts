import { type Child, element } from './element.ts';
import { describeProblem } from './problem.ts';

/** What is around every view. */
export interface Shell {
  /** Where views draw. */
  readonly main: HTMLElement;
  /** Says something to everybody, also to those who do not see it. */
  announce(text: string): void;
  complain(error: unknown): void;
  calm(): void;
  /** Who is logged in, with what ends it; `undefined` for nobody. */
  person(person: { readonly name: string; readonly logOut: () => void } | undefined): void;
}

/** Draws the frame of the page into `root`. */
export function createShell(root: HTMLElement): Shell {
  const main = element('main', { id: 'main' });
  const notice = element('div', { class: 'notice', role: 'alert' });
  const status = element('p', { class: 'toast', role: 'status' });
  const who = element('div', { class: 'who' });
  root.replaceChildren(
    element('a', { class: 'skip', href: '#main', onclick: (event) => skipTo(main, event) }, 'Skip to the content'),
    element(
      'header',
      {},
      element(
        'a',
        { class: 'brand', href: '#/' },
        element('span', { class: 'mark', 'aria-hidden': 'true' }),
        'SystemPrompt Cloud',
      ),
      element('span', { class: 'badge quiet' }, 'Local'),
      who,
    ),
    notice,
    main,
    status,
  );
  let forget: ReturnType<typeof setTimeout> | undefined;
  return {
    main,
    announce: (text) => {
      status.textContent = text;
      clearTimeout(forget);
      forget = setTimeout(() => status.replaceChildren(), 8_000);
    },
    complain: (error) => {
      const { text, requestId } = describeProblem(error);
      const parts: readonly Child[] = [
        withCode(text),
        requestId === undefined
          ? undefined
          : element('span', { class: 'request' }, 'Request ', element('code', {}, requestId)),
      ];
      notice.replaceChildren(...parts.filter((part) => part !== undefined && part !== false));
    },
    calm: () => notice.replaceChildren(),
    person: (person) => {
      if (person === undefined) return who.replaceChildren();
      const button = element('button', { type: 'button', class: 'small', onclick: person.logOut }, 'Log out');
      return who.replaceChildren(element('span', { class: 'quiet' }, person.name), button);
    },
  };
}

// An address with `#main` would be taken for one of the views'.
function skipTo(main: HTMLElement, event: Event): void {
  event.preventDefault();
  const heading = main.querySelector('h1');
  heading?.focus();
}

/** Text with commands in backticks. */
function withCode(text: string): HTMLElement {
  const parts = text.split('`').map((part, index) => (index % 2 === 1 ? element('code', {}, part) : part));
  return element('span', {}, ...parts);
}
