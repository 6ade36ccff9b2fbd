/** What an element may hold; `undefined` and `false` are nothing. */
export type Child = Node | string | undefined | false;

/** Attributes by their names in HTML, and listeners as `onclick`. `false` and `undefined` leave an attribute out. */
export type Attributes = Readonly<
  Record<string, string | number | boolean | undefined | ((event: Event) => void | Promise<void>)>
>;

/** Makes an element. Text is text: nothing of it is ever read as markup. */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') made.addEventListener(name.slice(2), (event) => void value(event));
    else if (value === true) made.setAttribute(name, '');
    else if (value !== undefined && value !== false) made.setAttribute(name, String(value));
  }
  made.append(...children.filter((child) => child !== undefined && child !== false));
  return made;
}

/** A button whose work may take a while: another press meanwhile does nothing. It keeps the focus, unlike a disabled one. */
export function workButton(attributes: Attributes, label: string, work: () => Promise<void>): HTMLElement {
  let busy = false;
  const button = element(
    'button',
    {
      type: 'button',
      ...attributes,
      onclick: async () => {
        if (busy) return;
        busy = true;
        button.ariaBusy = 'true';
        try {
          await work();
        } finally {
          busy = false;
          button.ariaBusy = null;
        }
      },
    },
    label,
  );
  return button;
}
