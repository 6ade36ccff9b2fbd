/** A form of a page, as far as pressing its button needs it. */
export interface SandboxForm {
  /** Empty: the page's own address. */
  readonly action: string;
  readonly fields: readonly { readonly name: string; readonly type: string; readonly value: string }[];
  /** What the button adds. */
  readonly button?: { readonly name: string; readonly value: string } | undefined;
}

const refusing = /cancel|deny|decline|refuse/i;

/** The first form that goes on: posts, and has a button that does not refuse. `undefined`: the page is an end. */
export function findForm(html: string): SandboxForm | undefined {
  for (const [, formTag = '', content = ''] of html.matchAll(/<form\b([^>]*)>([\s\S]*?)<\/form>/gi)) {
    const form = attributes(formTag);
    if (form['method']?.toLowerCase() !== 'post') continue;
    const button = findButton(content);
    if (button === undefined) continue;
    const inputs = [...content.matchAll(/<input\b([^>]*)>/gi)].map(([, tag = '']) => attributes(tag));
    const fields = inputs
      .filter((input) => input['name'] && !/^(submit|button|image|reset)$/.test(input['type'] ?? ''))
      .filter((input) => !/^(checkbox|radio)$/.test(input['type'] ?? '') || 'checked' in input)
      .map((input) => ({ name: input['name'] ?? '', type: input['type'] ?? 'text', value: input['value'] ?? '' }));
    const { name, value = '', formaction } = button;
    return {
      action: formaction ?? form['action'] ?? '',
      fields,
      ...(name === undefined ? {} : { button: { name, value } }),
    };
  }
  return undefined;
}

/** What a browser would send: values that the page filled in stay, empty e-mail and name fields get the person's. */
export function formBody(form: SandboxForm, person: { email: string; name: string }): URLSearchParams {
  const body = new URLSearchParams();
  for (const { name, type, value } of form.fields) {
    const own =
      type === 'email' || /e-?mail/i.test(name) ? person.email : /^(user_?)?name$/i.test(name) ? person.name : '';
    body.append(name, value === '' && type !== 'hidden' ? own : value);
  }
  if (form.button !== undefined) body.append(form.button.name, form.button.value);
  return body;
}

function findButton(content: string): Record<string, string> | undefined {
  const buttons = [...content.matchAll(/<button\b([^>]*)>([\s\S]*?)<\/button>/gi)].map(([, tag = '', label = '']) => ({
    ...attributes(tag),
    label,
  }));
  const inputs = [...content.matchAll(/<input\b([^>]*type="?submit[^>]*)>/gi)].map(([, tag = '']) => attributes(tag));
  return [...buttons, ...inputs].find(
    (button: Record<string, string>) =>
      (button['type'] ?? 'submit') === 'submit' &&
      !refusing.test(`${button['name']} ${button['value']} ${button['label']}`),
  );
}

function attributes(tag: string): Record<string, string> {
  const pattern = /([^\s"'<>/=]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'=<>`]+)))?/g;
  return Object.fromEntries(
    [...tag.matchAll(pattern)].map(([, name = '', double, single, bare]) => [
      name.toLowerCase(),
      decodeEntities(double ?? single ?? bare ?? ''),
    ]),
  );
}

/** HTML character references as the characters that they mean. */
export function decodeEntities(text: string): string {
  const named: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
  return text.replace(/&(?:#(\d+)|#x([0-9a-f]+)|(\w+));/gi, (whole, decimal?: string, hex?: string, name?: string) => {
    if (decimal !== undefined) return String.fromCodePoint(Number(decimal));
    if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16));
    return named[name ?? ''] ?? whole;
  });
}
