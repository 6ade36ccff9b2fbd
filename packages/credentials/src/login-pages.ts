import { type LoopbackPage, renderPage } from '@sp/loopback';

/** The pages that the browser ends on: whole HTML documents, shown as they are. Their scripts do not run. */
export interface OAuthTemplates {
  /** Shown after the login, in place of the built-in page. */
  readonly successHtml: string;
  /** Shown when it failed. */
  readonly errorHtml: string;
}

/** The pages as they are sent. */
export interface LoginPages {
  readonly success: LoopbackPage;
  readonly error: LoopbackPage;
}

/** The given pages, and ours for the rest. Neither says anything that came from outside. */
export function loginPages(templates: Partial<OAuthTemplates>): LoginPages {
  const { successHtml, errorHtml } = templates;
  return { success: successHtml ?? successPage(), error: errorHtml ?? errorPage() };
}

function successPage(): LoopbackPage {
  return renderPage({
    title: 'Signed in',
    heading: 'You are signed in',
    message: 'You can close this tab and go back to the terminal.',
    tone: 'success',
  });
}

function errorPage(): LoopbackPage {
  return renderPage({
    title: 'Not signed in',
    heading: 'You are not signed in',
    message: 'The sign-in did not work or was used already. The terminal says more. You can close this tab.',
    tone: 'error',
  });
}
