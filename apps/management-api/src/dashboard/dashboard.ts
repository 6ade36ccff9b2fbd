import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The page on which a person watches their local cloud. */
export interface Dashboard {
  /** The page or one of its files; `undefined` for an address that is not its own. */
  answer(request: Request): Response | undefined;
}

interface Asset {
  readonly body: Buffer;
  readonly type: string;
}

// Nothing from elsewhere, nothing written into the page, and no text that becomes markup or code.
const contentSecurityPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; " +
  "form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

/** Reads the built page; `undefined` where it was not built. */
export async function openDashboard(): Promise<Dashboard | undefined> {
  const folder = await findBuild();
  if (folder === undefined) return undefined;
  const assets = new Map<string, Asset>();
  const add = (name: string, type: string, body: Buffer): string => {
    const version = createHash('sha256').update(body).digest('hex').slice(0, 12);
    const path = `/dashboard/${version}/${name}`;
    assets.set(path, { body, type });
    return path;
  };
  const page = renderDashboard({
    script: add('app.js', 'text/javascript; charset=utf-8', await readFile(join(folder, 'app.js'))),
    style: add('style.css', 'text/css; charset=utf-8', await readFile(join(folder, 'style.css'))),
    icon: add('icon.svg', 'image/svg+xml', Buffer.from(icon)),
  });
  return {
    answer: (request) => {
      if (request.method !== 'GET' && request.method !== 'HEAD') return undefined;
      const { pathname } = new URL(request.url);
      const isPage = pathname === '/' && (request.headers.get('accept')?.includes('text/html') ?? false);
      if (isPage) return answerWith(page, { type: 'text/html; charset=utf-8', cache: 'no-store' });
      const asset = assets.get(pathname);
      if (asset === undefined) return undefined;
      // The address holds a digest of the content: another content has another address.
      return answerWith(asset.body, { type: asset.type, cache: 'public, max-age=31536000, immutable' });
    },
  };
}

function answerWith(
  body: string | Buffer,
  { type, cache }: { readonly type: string; readonly cache: string },
): Response {
  return new Response(typeof body === 'string' ? body : new Uint8Array(body), {
    headers: {
      'content-type': type,
      'cache-control': cache,
      'content-security-policy': contentSecurityPolicy,
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'cross-origin-opener-policy': 'same-origin',
    },
  });
}

interface AssetPaths {
  readonly script: string;
  readonly style: string;
  readonly icon: string;
}

const icon =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" rx="4" fill="#3346d3"/></svg>';

function renderDashboard({ script, style, icon }: AssetPaths): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>SystemPrompt Cloud</title>
<link rel="icon" href="${icon}">
<link rel="stylesheet" href="${style}">
<script type="module" src="${script}"></script>
</head>
<body>
<div id="app"><noscript>This page needs JavaScript. Everything that it shows is in the API below /api/v1, too.</noscript></div>
</body>
</html>
`;
}

// Sources are two folders below the package, the build is one: look upwards.
async function findBuild(): Promise<string | undefined> {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    const candidate = join(folder, 'dist', 'dashboard');
    if (await isThere(join(candidate, 'app.js'))) return candidate;
    if (folder === dirname(folder)) return undefined;
  }
}

async function isThere(path: string): Promise<boolean> {
  return await readFile(path).then(
    () => true,
    () => false,
  );
}
