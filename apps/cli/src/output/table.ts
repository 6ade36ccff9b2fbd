import { dim } from 'ansis';
import { plainLine } from './plain-line.ts';
import { textWidth, truncateText } from './text-width.ts';

const gap = '  ';
/** A column is never made narrower than this. */
const narrowest = 8;

/**
 * Rows as aligned columns under a heading line, without borders. Where they do not fit, the widest columns are cut: not
 * for a pipe, which has no width.
 */
export function renderTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  options: { /** Columns of the terminal. @defaultValue those of stdout */ readonly width?: number | undefined } = {},
): string {
  const { width = process.stdout.isTTY ? process.stdout.columns : undefined } = options;
  // A line break or an escape sequence in what the API or a database said must not reach the terminal.
  const cells = rows.map((row) => row.map(plainLine));
  const widths = head.map((title, index) =>
    Math.max(textWidth(title), ...cells.map((row) => textWidth(row[index] ?? ''))),
  );
  if (width !== undefined) shrink(widths, width - gap.length * (widths.length - 1));
  const line = (row: readonly string[], style: (text: string) => string): string =>
    row.map((cell, index) => style(fit(cell, widths[index] ?? 0))).join(gap);
  return [line(head, dim), ...cells.map((row) => line(row, (text) => text))].map((text) => text.trimEnd()).join('\n');
}

/** `name  value` lines with the names dimmed; entries without a value are left out. */
export function renderFields(fields: Readonly<Record<string, string | undefined>>): string {
  const entries = Object.entries(fields).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const width = Math.max(0, ...entries.map(([name]) => name.length));
  return entries.map(([name, value]) => `${dim(name.padEnd(width))}  ${plainLine(value)}`).join('\n');
}

function fit(cell: string, width: number): string {
  const text = textWidth(cell) > width ? truncateText(cell, width) : cell;
  return text + ' '.repeat(Math.max(0, width - textWidth(text)));
}

/** Takes from the widest column until everything fits or nothing can be taken any more. */
function shrink(widths: number[], available: number): void {
  for (let over = widths.reduce((sum, each) => sum + each, 0) - available; over > 0; over -= 1) {
    const widest = widths.indexOf(Math.max(...widths));
    if ((widths[widest] ?? 0) <= narrowest) return;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
}
