// The page of the local cloud. It is a client of the public API like any other.
import { type CloudApiClient, createCloudApiClient, isCloudApiError, type UserMeResponse } from '@sp/cloud-api';
import { showCheckout } from './checkout-view.ts';
import { type Child, element } from './element.ts';
import { showLogin } from './login-view.ts';
import { keepMoments } from './moment.ts';
import { showNewTenant } from './new-tenant-view.ts';
import { isAborted } from './problem.ts';
import { parseRoute, type Route, routeHref } from './route.ts';
import { createSession, type Session } from './session.ts';
import { createShell, type Shell } from './shell.ts';
import { showTenant } from './tenant-view.ts';
import { showTenants } from './tenants-view.ts';
import type { ViewContext } from './view.ts';

async function main(root: HTMLElement): Promise<void> {
  const shell = createShell(root);
  const session = createSession();
  const api = createCloudApiClient({ environment: location.origin, token: () => session.token() });
  try {
    await session.complete();
  } catch (error) {
    showLogin(shell.main, { session, complain: shell.complain });
    return shell.complain(error);
  }
  takeUpCheckout();
  await showPerson({ shell, session, api });
}

/** A payment page returns with its session in the address. */
function takeUpCheckout(): void {
  const id = new URLSearchParams(location.search).get('checkout_session_id');
  if (id !== null) history.replaceState(null, '', `/${routeHref({ view: 'checkout', id })}`);
}

interface App {
  readonly shell: Shell;
  readonly session: Session;
  readonly api: CloudApiClient;
}

async function showPerson({ shell, session, api }: App): Promise<void> {
  const login = (): void => {
    shell.person(undefined);
    showLogin(shell.main, { session, complain: shell.complain });
  };
  if (!session.active) return login();
  let user: UserMeResponse['user'];
  try {
    ({ user } = await api.user.get());
  } catch (error) {
    if (isCloudApiError(error) && error.code === 'SP_API_UNAUTHORIZED') session.forget();
    login();
    return shell.complain(error);
  }

  let leave = new AbortController();
  const out = (error?: unknown): void => {
    leave.abort();
    window.removeEventListener('hashchange', open);
    session.forget();
    login();
    if (error !== undefined) shell.complain(error);
  };
  const complain = (error: unknown): void => {
    if (isAborted(error)) return;
    // A refused refresh token is the end of a login too.
    const ended =
      isCloudApiError(error) && (error.code === 'SP_API_UNAUTHORIZED' || error.serverCode === 'invalid_grant');
    if (ended) out(error);
    else shell.complain(error);
  };
  const open = (): void => {
    leave.abort();
    leave = new AbortController();
    shell.calm();
    show(parseRoute(location.hash), createView({ shell, api, user, signal: leave.signal, complain }));
  };
  shell.person({
    name: user.email,
    logOut: () => {
      // Forgotten here whatever the server says.
      void session.end().catch(() => {});
      out();
    },
  });
  window.addEventListener('hashchange', open);
  open();
}

function createView(
  request: Pick<App, 'shell' | 'api'> & Pick<ViewContext, 'user' | 'signal' | 'complain'>,
): ViewContext {
  const { shell, ...given } = request;
  const heading = element('h1', { tabindex: -1 });
  const beside = element('div', { class: 'beside' });
  const place = element('div', { class: 'view' });
  shell.main.replaceChildren(element('div', { class: 'title' }, heading, beside), place);
  heading.focus({ preventScroll: true });
  return {
    ...given,
    place,
    title: (text, ...extra: readonly Child[]) => {
      heading.textContent = text;
      document.title = `${text} · SystemPrompt Cloud`;
      beside.replaceChildren(...extra.filter((child) => child !== undefined && child !== false));
    },
    announce: (text) => shell.announce(text),
    calm: () => shell.calm(),
    navigate: (route) => location.assign(routeHref(route)),
  };
}

function show(route: Route, context: ViewContext): void {
  switch (route.view) {
    case 'tenants':
      return showTenants(context);
    case 'new':
      return showNewTenant(context);
    case 'tenant':
      return showTenant(context, route.id);
    case 'checkout':
      return void showCheckout(context, route.id);
  }
}

const root = document.getElementById('app');
if (root !== null) {
  keepMoments();
  void main(root);
}
