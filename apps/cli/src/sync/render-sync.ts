import type { SyncConflict, SyncPlan } from '@sp/sync';
import { dim, green, red, yellow } from 'ansis';
import { formatBytes } from '../output/bytes.ts';

const shown = 50;

/** What a sync would do, one line per file. */
export function renderPlan({ up, down, conflicts, left }: SyncPlan): string {
  const lines = [
    ...up.map((change) => `${sign(change)} ${change.path} ${dim('→ tenant')}`),
    ...down.map((change) => `${sign(change)} ${change.path} ${dim('→ project')}`),
    ...conflicts.filter(({ resolution }) => resolution === 'leave').map(renderConflict),
    ...left.map(({ path, reason }) => dim(`· ${path} (left: ${reason})`)),
  ];
  if (lines.length === 0) return 'Nothing to do: both sides have the same files';
  const rest = lines.length - shown;
  return [...lines.slice(0, shown), ...(rest > 0 ? [dim(`… and ${rest} more (see --json)`)] : [])].join('\n');
}

/** A file that changed on both sides, with both versions. */
export function renderConflict({ path, local, remote }: SyncConflict): string {
  const version = (facts: SyncConflict['local']): string =>
    facts === undefined ? 'deleted' : `${formatBytes(facts.size)}, ${facts.hash.slice(0, 8)}`;
  return `${yellow('!')} ${path} changed on both sides: here ${version(local)}; in the tenant ${version(remote)}`;
}

function sign({ before, after }: SyncPlan['up'][number]): string {
  if (after === undefined) return red('-');
  return before === undefined ? green('+') : yellow('~');
}
