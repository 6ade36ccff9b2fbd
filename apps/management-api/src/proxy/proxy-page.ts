/** Something the proxy itself has to say instead of the tenant. */
export interface ProxyMessage {
  readonly status: 404 | 502 | 503;
  readonly code: 'tenant_unknown' | 'tenant_unreachable' | 'tenant_not_running';
  readonly title: string;
  readonly text: string;
}

/** Answers a browser with a page, and programs with the API's form of an error. */
export function proxyPage(request: Request, message: ProxyMessage): Response {
  const { status, code, title, text } = message;
  const headers = {
    'cache-control': 'no-store',
    vary: 'accept',
    ...(status === 404 ? {} : { 'retry-after': '2' }),
  };
  if (!(request.headers.get('accept') ?? '').includes('text/html')) {
    return Response.json({ error: { code, message: text } }, { status, headers });
  }
  const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:36rem;margin:15vh auto;padding:0 1rem;color:#222;background:#fff}</style>
</head>
<body>
<main>
<h1>${escapeHtml(title)}</h1>
<p>${escapeHtml(text)}</p>
</main>
</body>
</html>
`;
  const policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'";
  return new Response(html, {
    status,
    headers: { ...headers, 'content-type': 'text/html; charset=utf-8', 'content-security-policy': policy },
  });
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
