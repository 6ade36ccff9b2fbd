import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DrizzleQueryError } from 'drizzle-orm';
import type { Logger } from 'pino';
import { expect, test } from 'vitest';
import { loggableError } from '../src/http/loggable-error.ts';
import { createFileLogger } from '../src/local/file-logger.ts';
import { createServiceLogger } from '../src/serve/create-logger.ts';

type Line = Readonly<Record<string, unknown>> & { readonly err: Readonly<Record<string, unknown>> };

async function logWithService(log: (logger: Logger) => void): Promise<Line> {
  const lines: string[] = [];
  log(createServiceLogger('info', { write: (line: string) => void lines.push(line) }));
  return JSON.parse(lines.join('')) as Line;
}

async function logWithFile(log: (logger: Logger) => void): Promise<Line> {
  const folder = await mkdtemp(join(tmpdir(), 'sp-log-'));
  try {
    const { logger, close } = createFileLogger(join(folder, 'api.log'));
    log(logger);
    await close();
    return JSON.parse(await readFile(join(folder, 'api.log'), 'utf8')) as Line;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const refused = new Error('connect ECONNREFUSED');
const away = Object.assign(new Error('the database is away', { cause: refused }), { code: 'ECONNREFUSED' });

test.for([
  ['serve', logWithService],
  ['the local cloud', logWithFile],
] as const)('the log of %s says what an error was, whoever described it', async ([, written]) => {
  for (const err of [away, loggableError(away), loggableError(loggableError(away))]) {
    const line = await written((logger) => logger.error({ err }, 'request failed'));
    expect(line).toMatchObject({
      msg: 'request failed',
      err: { name: 'Error', message: 'the database is away', code: 'ECONNREFUSED', cause: refused.message },
    });
    expect(line.err['stack']).toContain('logged-errors.test.ts');
  }
});

test.for([
  ['serve', logWithService],
  ['the local cloud', logWithFile],
] as const)(
  'the log of %s has no values of queries, and nothing of what only looks like an error',
  async ([, written]) => {
    const query = new DrizzleQueryError('insert into secrets values ($1)', ['hidden-value'], away);
    const thrown = { name: 'Odd', message: 'odd', stack: 'here', value: 'hidden-value' };
    for (const err of [query, loggableError(query), thrown, { value: 'hidden-value' }]) {
      const line = await written((logger) => logger.error({ err }, 'request failed'));
      expect(JSON.stringify(line)).not.toContain('hidden-value');
      expect(line.err['name']).toEqual(expect.any(String));
    }
  },
);
