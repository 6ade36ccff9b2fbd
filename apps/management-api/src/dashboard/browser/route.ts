/** What the part of the address behind `#` names. */
export type Route =
  | { readonly view: 'tenants' }
  | { readonly view: 'new' }
  | { readonly view: 'tenant'; readonly id: string }
  | { readonly view: 'checkout'; readonly id: string };

/** Reads `#/tenants/<id>`; what is not known is the list of tenants. */
export function parseRoute(hash: string): Route {
  const [, view, id] = hash.split('/');
  if (view === 'new') return { view };
  if (view === 'tenants' && id !== undefined && id !== '') return { view: 'tenant', id: decodeURIComponent(id) };
  if (view === 'checkout' && id !== undefined && id !== '') return { view, id: decodeURIComponent(id) };
  return { view: 'tenants' };
}

/** The address of a route within the page. */
export function routeHref(route: Route): string {
  switch (route.view) {
    case 'tenants':
      return '#/';
    case 'new':
      return '#/new';
    case 'tenant':
      return `#/tenants/${encodeURIComponent(route.id)}`;
    case 'checkout':
      return `#/checkout/${encodeURIComponent(route.id)}`;
  }
}
