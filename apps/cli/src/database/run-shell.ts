import { createInterface } from 'node:readline/promises';
import type { DatabaseSession } from '@sp/database';
import { dim, red } from 'ansis';
import { renderTable } from '../output/table.ts';
import { renderResult } from './render-result.ts';

/** What the shell works with. */
export interface ShellOptions {
  readonly session: DatabaseSession;
  readonly input: NodeJS.ReadableStream;
  readonly output: NodeJS.WritableStream;
  /** Whether somebody types: prompts are shown, and an error does not end it. */
  readonly terminal: boolean;
  /** Before each line, such as `hello`. */
  readonly name: string;
  /** Ends it. */
  readonly signal: AbortSignal;
}

const help = `\\q  end    \\d  tables    \\?  this    ; ends a statement, Ctrl-C cancels one`;
const tables = `select n.nspname as schema, c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.relkind in ('r', 'p', 'v', 'm', 'f') and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast') order by 1, 2`;

/**
 * Runs the statements that come in, one after the other, on one connection. Without a terminal the first error ends it.
 *
 * @returns how many statements ran well
 */
export async function runShell(options: ShellOptions): Promise<number> {
  const { session, input, output, terminal, name, signal } = options;
  const { splitStatements } = await import('@sp/database');
  const lines = createInterface({ input, output, terminal, historySize: terminal ? 1000 : 0 });
  const write = (text: string): void => void output.write(`${text}\n`);
  let pending = '';
  let running: AbortController | undefined;
  let count = 0;
  const prompt = (): void => {
    if (!terminal) return;
    lines.setPrompt(pending === '' ? `${name}=> ` : `${name}-> `);
    lines.prompt();
  };
  lines.on('SIGINT', () => {
    if (running !== undefined) return running.abort();
    pending = '';
    // What is typed goes too, on both sides of the cursor: Ctrl-E, Ctrl-U.
    lines.write(null, { ctrl: true, name: 'e' });
    lines.write(null, { ctrl: true, name: 'u' });
    write(dim('^C'));
    prompt();
  });
  const end = (): void => lines.close();
  signal.addEventListener('abort', end, { once: true });

  const run = async (sql: string): Promise<void> => {
    running = new AbortController();
    try {
      write(renderResult(await session.run(sql, { signal: AbortSignal.any([running.signal, signal]) })));
      count += 1;
    } catch (error) {
      if (!terminal || signal.aborted) throw error;
      write(red(running.signal.aborted ? 'Cancelled' : error instanceof Error ? error.message : String(error)));
    } finally {
      running = undefined;
    }
  };

  try {
    if (terminal) write(dim(`Postgres ${session.serverVersion}. ${help}`));
    prompt();
    for await (const line of lines) {
      const command = pending === '' ? line.trim() : '';
      if (command === '\\q' || command === 'exit' || command === 'quit') break;
      if (command === '\\?') write(renderTable(['SHELL'], [[help]]));
      else if (command === '\\d' || command === '\\dt') await run(tables);
      else {
        const { statements, rest } = splitStatements(`${pending}${line}\n`);
        pending = rest === '' ? '' : `${rest}\n`;
        for (const statement of statements) await run(statement);
      }
      prompt();
    }
    // A file's last statement may have no semicolon.
    if (!terminal && pending.trim() !== '') await run(pending.trim());
    return count;
  } finally {
    signal.removeEventListener('abort', end);
    lines.close();
  }
}
