import { html } from 'hono/html';
import { limitsOf } from '../openapi/endpoint-limits.ts';
import { curlExample, sampleAnswer } from '../openapi/example.ts';
import { listMembers, ruleOf, typeOf } from '../openapi/members.ts';
import { listOperations, type Operation } from '../openapi/operations.ts';
import type { Html, Page } from './page.ts';

const titles: Readonly<Record<string, string>> = {
  auth: 'Logins',
  apiTokens: 'API tokens',
  user: 'You',
  plans: 'Plans',
  checkout: 'Checkout',
  tenants: 'Tenants',
  domains: 'Custom domains',
  subscription: 'Subscription',
  activity: 'Activity',
  releases: 'Releases',
  secrets: 'Secrets',
};

/** The reference of the API for people. All of it is one page, so that the browser's own search finds everything. */
export function referencePage({ baseUrl }: { readonly baseUrl: string }): Page {
  const operations = listOperations();
  const resources = [...new Set(operations.map(({ resource }) => resource))].map((resource) => ({
    resource,
    title: titles[resource] ?? resource,
    members: operations.filter((operation) => operation.resource === resource),
  }));
  return {
    title: 'API reference',
    wide: true,
    content: html`<h1>API reference</h1>
<p>The Management API of SystemPrompt Cloud, at <code>${baseUrl}</code>. For programs it is described in
<a href="/openapi.json">openapi.json</a> (OpenAPI 3.1). This page is whole: your browser's search finds everything.</p>
<p>Send <code>Authorization: Bearer …</code> with the access token of a login, which may do everything, or with an API
token (<code>spc_…</code>), which may do what its scopes say. Every answer has an <code>x-request-id</code>. An error is
<code>{"error": {"code", "message", "request_id"}}</code>. A change that carries an <code>Idempotency-Key</code> happens
once, however often it is sent within a day. <code>ratelimit</code> says how many requests are left,
<code>retry-after</code> when to come again; the limits below hold where the operator has set no others.</p>
<nav aria-label="Endpoints">${resources.map(
      ({ title, members }) => html`<h2>${title}</h2>
<ul>${members.map(({ name, endpoint }) => html`<li><a href="#${name}"><code>${endpoint.method}</code> ${endpoint.path}</a></li>`)}</ul>`,
    )}</nav>
${resources.map(
  ({ title, members }) =>
    html`<section><h2>${title}</h2>${members.map((operation) => describe(operation, baseUrl))}</section>`,
)}`,
  };
}

function describe(operation: Operation, baseUrl: string): Html {
  const { name, endpoint, scope, parameters, body, answer, errors } = operation;
  const others = endpoint.aliases?.map(({ method, path }) => `${method} ${path}`) ?? [];
  const what = endpoint.kind === 'events' ? 'Each event' : 'Answer';
  return html`<article id="${name}" aria-labelledby="${name}-title">
<h3 id="${name}-title"><code>${endpoint.method} ${endpoint.path}</code></h3>
<p>${prose(endpoint.summary)}</p>
<p class="quiet">${scope === undefined ? 'Needs no token.' : html`API tokens need the scope <code>${scope}</code>.`}
${others.length === 0 ? '' : html`Also <code>${others.join(', ')}</code>.`}
${endpoint.kind === 'events' ? html`The answer is a <code>text/event-stream</code>.` : ''}</p>
<p class="quiet">Limits: ${describeLimits(operation)}.</p>
${
  parameters.length === 0
    ? ''
    : table(
        `Parameters of ${name}`,
        ['Parameter', 'In', 'Type', 'Rule'],
        parameters.map((parameter) => [
          html`<code>${parameter.name}</code>${parameter.required ? '' : ' (optional)'}`,
          parameter.in,
          typeOf(parameter.schema),
          prose(
            [parameter.description, parameter.in === 'header' ? '' : ruleOf(parameter.schema)]
              .filter(Boolean)
              .join(' '),
          ),
        ]),
      )
}
${body === undefined ? '' : members(`Body of ${name}`, 'Body', listMembers(body))}
${answer === undefined ? html`<p class="quiet">${endpoint.empty === 'null' ? 'Answers null.' : 'Answers 204, without content.'}</p>` : members(`${what} of ${name}`, what, listMembers(answer))}
${table(
  `Errors of ${name}`,
  ['Status', 'Code', 'When'],
  errors.map(({ status, code, when }) => [String(status), html`<code>${code}</code>`, prose(when)]),
)}
<pre><code>${curlExample(operation, baseUrl)}</code></pre>
${answer === undefined ? '' : html`<details><summary>${what === 'Answer' ? 'Example of an answer' : 'Example of an event'}</summary><pre><code>${JSON.stringify(sampleAnswer(answer), undefined, 2)}</code></pre></details>`}
</article>`;
}

/** Text with code in backticks. */
function prose(text: string): Html {
  return html`${text.split('`').map((part, index) => (index % 2 === 1 ? html`<code>${part}</code>` : part))}`;
}

/** `600 requests a minute for each user, 30 in 10 minutes`. */
function describeLimits({ name, endpoint }: Operation): string {
  return limitsOf(name, endpoint)
    .map(({ requests, seconds, per }) => {
      const minutes = seconds / 60;
      return `${requests} ${minutes === 1 ? 'a minute' : `in ${minutes} minutes`} for each ${per}`;
    })
    .join(', ');
}

function members(label: string, title: string, rows: ReturnType<typeof listMembers>): Html {
  return table(
    label,
    [title, 'Type', 'Rule'],
    rows.map(({ path, type, required, rule }) => [
      html`<code>${path}</code>${required ? '' : ' (optional)'}`,
      type,
      rule,
    ]),
  );
}

function table(label: string, heads: readonly string[], rows: readonly (readonly (Html | string)[])[]): Html {
  return html`<table aria-label="${label}">
<thead><tr>${heads.map((head) => html`<th scope="col">${head}</th>`)}</tr></thead>
<tbody>${rows.map((cells) => html`<tr>${cells.map((cell) => html`<td>${cell}</td>`)}</tr>`)}</tbody>
</table>`;
}
