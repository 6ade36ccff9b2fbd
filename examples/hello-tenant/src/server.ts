import { createServer, type ServerResponse } from 'node:http';
import { openDatabase } from './database.ts';
import { loadPage } from './page.ts';
import { readSettings } from './settings.ts';
import { openSync } from './sync.ts';

const usage = 'Usage: systemprompt infra services serve --foreground';

async function main(): Promise<void> {
  if (process.argv.slice(2).join(' ') !== 'infra services serve --foreground') {
    console.error(usage);
    process.exitCode = 2;
    return;
  }
  const settings = readSettings(process.env);
  const page = await loadPage(settings);
  const database = openDatabase(settings.databaseUrl, (message) => console.error(message));

  const { servicesDirectory: root, syncToken: token } = settings;
  const sync = openSync({ root, token, onError: (message) => console.error(message) });

  const server = createServer((request, response) => {
    const path = (request.url ?? '/').split('?')[0] ?? '/';
    if (sync.answers(path)) {
      // The connection broke, which the client sees too.
      sync.answer(request, response).catch(() => response.destroy());
      return;
    }
    answer(path, response).catch((error: unknown) => {
      console.error(`GET ${path}: ${error instanceof Error ? error.message : error}`);
      send(response, 503, 'text/plain', 'The database does not answer.\n');
    });
  });

  async function answer(path: string, response: ServerResponse): Promise<void> {
    if (path === '/api/v1/health') {
      await database.check();
      send(response, 200, 'application/json', `${JSON.stringify({ status: 'ok', database: 'ok' })}\n`);
    } else if (path === '/') {
      send(response, 200, 'text/html', page.render(await database.firstGreeting()));
    } else {
      send(response, 404, 'text/plain', 'There is no such page.\n');
    }
  }

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      server.close(() => void database.close());
      server.closeIdleConnections();
      // A client that never finishes its request must not keep the old release alive.
      setTimeout(() => process.exit(0), 5000).unref();
    });
  }
  server.listen(settings.port, settings.host, () => console.log(`Listening on ${settings.host}:${settings.port}`));
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  if (response.headersSent) return;
  response.writeHead(status, { 'content-type': `${type}; charset=utf-8`, 'cache-control': 'no-store' });
  response.end(body);
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
});
