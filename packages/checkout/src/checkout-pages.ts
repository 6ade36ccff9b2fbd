import { escapeHtml, type LoopbackPage, type LoopbackRoute, renderPage } from '@sp/loopback';

/** Own pages, complete HTML documents without scripts. `{{TENANT_ID}}` in the success page becomes the tenant's id. */
export interface CheckoutTemplates {
  /** Shown when the tenant is made, in place of the built-in page. */
  readonly successHtml: string;
  /** Shown when it was not. */
  readonly errorHtml: string;
  /** Shown between the payment and the result. */
  readonly waitingHtml: string;
}

/** What the browser tab of a checkout shows. */
export interface CheckoutPages {
  /** The page at this moment: waiting, or the result once there is one. */
  current(): LoopbackPage;
  /** The page for a callback that changes nothing. */
  ignored(message: string): LoopbackPage;
  /** Answers the waiting page's questions. */
  readonly status: LoopbackRoute;
  /** Sets the result. */
  finish(result: PageResult): void;
  /** Returns when every waiting page has got the result, at the latest after `lingerMs`: a tab may have been closed. */
  shown(lingerMs: number): Promise<void>;
}

/** How a checkout ended, for the person in front of the browser. */
export type PageResult = { readonly tenantId: string } | { readonly failure: string };

/** The pages of one checkout. */
export function createCheckoutPages(templates: Partial<CheckoutTemplates> = {}): CheckoutPages {
  let result: PageResult | undefined;
  let waiting = 0;
  let markAllShown: () => void = () => undefined;
  const allShown = new Promise<void>((resolve) => {
    markAllShown = resolve;
  });
  const markShown = (): void => {
    waiting -= 1;
    if (waiting === 0) markAllShown();
  };

  function page(): LoopbackPage {
    if (result === undefined) return templates.waitingHtml ?? renderPage({ ...texts(result), script: pollScript });
    if ('failure' in result) return templates.errorHtml ?? renderPage(texts(result));
    // A function, because `$&` in an id would mean something in a replacement text.
    const tenantId = escapeHtml(result.tenantId);
    return templates.successHtml?.replaceAll('{{TENANT_ID}}', () => tenantId) ?? renderPage(texts(result));
  }

  return {
    current() {
      // A page of the caller's own asks for nothing.
      if (result === undefined && templates.waitingHtml === undefined) waiting += 1;
      // It takes the place of the waiting page in the same tab.
      if (result !== undefined) markShown();
      return page();
    },
    ignored: (message) => templates.errorHtml ?? renderPage(texts({ failure: message })),
    async status() {
      if (result !== undefined) markShown();
      return { type: 'application/json', body: JSON.stringify({ done: result !== undefined, ...texts(result) }) };
    },
    finish(ended) {
      result ??= ended;
    },
    async shown(lingerMs) {
      if (waiting <= 0) return;
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, lingerMs);
      });
      await Promise.race([allShown, late]);
      clearTimeout(timer);
    },
  };
}

interface PageTexts {
  readonly title: string;
  readonly heading: string;
  readonly message: string;
  readonly tone: 'success' | 'error' | 'waiting';
}

function texts(result: PageResult | undefined): PageTexts {
  if (result === undefined) {
    const message = 'Your tenant is being set up. This page shows when it is ready.';
    return { title: 'Setting up', heading: 'Payment confirmed', message, tone: 'waiting' };
  }
  if ('failure' in result) {
    return { title: 'Checkout failed', heading: 'Something went wrong', message: result.failure, tone: 'error' };
  }
  const message = `Tenant ${result.tenantId} is set up. You can close this tab and go back to where you started.`;
  return { title: 'Ready', heading: 'Your tenant is ready', message, tone: 'success' };
}

/** Asks once a second; a question that fails is asked again, until the listener is gone for good. */
const pollScript = `
let failures = 0;
async function poll() {
  try {
    const answer = await (await fetch('/status')).json();
    failures = 0;
    if (answer.done) {
      document.title = answer.title;
      document.getElementById('heading').textContent = answer.heading;
      document.getElementById('message').textContent = answer.message;
      document.body.dataset.tone = answer.tone;
      return;
    }
  } catch {
    failures += 1;
    if (failures === 5) {
      document.getElementById('message').textContent = 'You can close this tab and go back to where you started.';
      return;
    }
  }
  setTimeout(poll, 1000);
}
setTimeout(poll, 1000);
`;
