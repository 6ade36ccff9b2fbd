import type { LogLine, ReadLogsOptions } from '../ports/machines.ts';

/** Those of the lines, oldest first, that the options ask for. */
export function selectLines(
  lines: readonly LogLine[],
  { tail, since }: Pick<ReadLogsOptions, 'tail' | 'since'>,
): readonly LogLine[] {
  const recent = since === undefined ? lines : lines.filter(({ time }) => Date.parse(time) >= since.getTime());
  if (tail === undefined) return recent;
  return tail <= 0 ? [] : recent.slice(-tail);
}

/** Only what the lines say. */
export async function readMessages(lines: AsyncIterable<LogLine>): Promise<readonly string[]> {
  const messages: string[] = [];
  for await (const { message } of lines) messages.push(message);
  return messages;
}
