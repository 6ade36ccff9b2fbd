import { element } from './element.ts';

/** Asks before something that cannot be taken back; with `name` it has to be typed. */
export function confirm(question: {
  readonly title: string;
  readonly text: string;
  readonly action: string;
  readonly name?: string | undefined;
}): Promise<boolean> {
  const { title, text, action, name } = question;
  return new Promise((resolve) => {
    const typed = element('input', { id: 'typed', autocomplete: 'off', spellcheck: 'false', autocapitalize: 'none' });
    const go = element(
      'button',
      { type: 'submit', value: 'go', class: name === undefined ? 'primary' : 'danger' },
      action,
    );
    const ready = (): boolean => name === undefined || typed.value === name;
    const update = (): void => {
      go.disabled = !ready();
    };
    typed.addEventListener('input', update);
    update();
    const dialog = element(
      'dialog',
      { 'aria-labelledby': 'dialog-title', 'aria-describedby': 'dialog-text' },
      element(
        'form',
        { method: 'dialog' },
        element('h2', { id: 'dialog-title' }, title),
        element('p', { id: 'dialog-text' }, text),
        name !== undefined &&
          element('div', { class: 'field' }, element('label', { for: 'typed' }, `Type ${name} to go on`), typed),
        element(
          'div',
          { class: 'actions' },
          go,
          element('button', { type: 'submit', value: 'stay', formnovalidate: true }, 'Cancel'),
        ),
      ),
    );
    dialog.addEventListener('close', () => {
      const agreed = dialog.returnValue === 'go' && ready();
      dialog.remove();
      resolve(agreed);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
