import { Hono } from 'hono';
import { createOpenApiDocument, type OpenApiDocument } from '../openapi/document.ts';
import { type Page, sendPage } from '../pages/page.ts';
import { referencePage } from '../pages/reference-page.ts';

/** The reference of the API: `/openapi.json` for programs, `/docs` for people. */
export function referenceRoutes({ baseUrl }: { readonly baseUrl: string }): Hono {
  // The same for everybody: each is made once, when somebody asks.
  let document: OpenApiDocument | undefined;
  let page: Page | undefined;
  const routes = new Hono();
  routes.get('/openapi.json', (context) => {
    document ??= createOpenApiDocument({ baseUrl });
    context.header('access-control-allow-origin', '*');
    context.header('cache-control', 'public, max-age=300');
    return context.json(document);
  });
  routes.get('/docs', (context) => {
    page ??= referencePage({ baseUrl });
    return sendPage(context, page);
  });
  return routes;
}
