import type { OAuthProvider } from '@sp/cloud-api';
import { element, workButton } from './element.ts';
import type { Session } from './session.ts';

const providers: Readonly<Record<OAuthProvider, string>> = { github: 'GitHub', google: 'Google' };

/** What somebody sees whom the page does not know yet. */
export function showLogin(
  place: HTMLElement,
  { session, complain }: { readonly session: Session; readonly complain: (error: unknown) => void },
): void {
  const buttons = (Object.keys(providers) as OAuthProvider[]).map((provider, index) =>
    workButton({ class: index === 0 ? 'primary' : undefined }, `Continue with ${providers[provider]}`, () =>
      session.begin(provider).catch(complain),
    ),
  );
  document.title = 'Log in · SystemPrompt Cloud';
  place.replaceChildren(
    element(
      'section',
      { class: 'card login' },
      element('h1', { tabindex: -1 }, 'Your cloud on this computer'),
      element(
        'p',
        { class: 'quiet' },
        'Tenants, deploys, logs and releases as they happen. Log in as the person that your terminal is logged in as.',
      ),
      element('div', { class: 'buttons' }, ...buttons),
    ),
  );
}
