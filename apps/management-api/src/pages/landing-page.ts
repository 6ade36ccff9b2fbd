import { html } from 'hono/html';
import type { Page } from './page.ts';

/** What somebody sees who opens the API's address in a browser. */
export function landingPage(): Page {
  return {
    title: 'Management API',
    content: html`<h1>Management API</h1>
<p class="quiet">This is the control plane of SystemPrompt Cloud. Programs talk to it below <code>/api/v1</code>.</p>
<p class="quiet"><a href="/docs">Reference</a> · <a href="/openapi.json">OpenAPI</a> · <a href="/healthz">Health</a> · <a href="/.well-known/jwks.json">Signing keys</a></p>`,
  };
}
