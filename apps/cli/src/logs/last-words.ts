import type { CloudApiClient, LogEntry } from '@sp/cloud-api';

/**
 * What the machine of a failed release wrote last. The machine is gone, and its log with it: the release alone has kept
 * the lines, without their times. Without a number the newest release is meant; nothing for one that did not fail.
 */
export async function readLastWords(
  api: Pick<CloudApiClient, 'releases'>,
  tenantId: string,
  {
    release,
    tail,
    signal,
  }: { readonly release?: number | undefined; readonly tail: number; readonly signal: AbortSignal },
): Promise<{ readonly number: number; readonly lines: readonly LogEntry[] } | undefined> {
  const number = release ?? (await api.releases.list(tenantId, { signal }))[0]?.number;
  if (number === undefined) return undefined;
  const { status, logLines = [], ...found } = await api.releases.get(tenantId, number, { signal });
  if (status !== 'failed' || logLines.length === 0) return undefined;
  const time = found.finishedAt ?? found.createdAt;
  const lines = logLines.slice(Math.max(0, logLines.length - tail));
  return { number, lines: lines.map((message) => ({ time, stream: 'stderr', message, releaseNumber: number })) };
}
