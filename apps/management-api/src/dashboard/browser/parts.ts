import { type Child, element } from './element.ts';
import { describeState } from './words.ts';

/** The state of a tenant or release, as a coloured word. */
export function badge(state: string): HTMLElement {
  const { label, tone } = describeState(state);
  return element('span', { class: `badge ${tone}` }, label);
}

/** A titled part of a view. */
export function card(title: string, ...children: readonly Child[]): HTMLElement {
  const id = `card-${title.toLowerCase().replaceAll(/\W+/g, '-')}`;
  return element('section', { class: 'card', 'aria-labelledby': id }, element('h2', { id }, title), ...children);
}

/** A command to be run in a terminal, with a button that copies it. */
export function commandLine(command: string): HTMLElement {
  const button = element(
    'button',
    {
      type: 'button',
      class: 'small',
      'data-key': `copy ${command}`,
      'aria-label': `Copy: ${command}`,
      onclick: async () => {
        await navigator.clipboard.writeText(command);
        button.textContent = 'Copied';
      },
    },
    'Copy',
  );
  return element('div', { class: 'command' }, element('code', {}, command), button);
}

/** A link to a page elsewhere; a new tab, which cannot reach this one. */
export function externalLink(href: string, label: string): HTMLElement {
  return element('a', { href, target: '_blank', rel: 'noopener noreferrer', 'data-key': `open ${href}` }, label);
}

/** Names and their values. */
export function factList(facts: Readonly<Record<string, Child>>): HTMLElement {
  const rows = Object.entries(facts)
    .filter(([, value]) => value !== undefined && value !== false && value !== '')
    .flatMap(([name, value]) => [element('dt', {}, name), element('dd', {}, value)]);
  return element('dl', {}, ...rows);
}
