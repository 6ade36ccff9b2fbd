import { dirname, join } from 'node:path';
import type { ProjectContext } from '@sp/paths';

/** The tenant that was selected for this project on this computer; it may be gone by now. */
export async function loadSelection(project: ProjectContext): Promise<string | undefined> {
  const { readPrivateFile } = await import('@sp/private-file');
  const text = await readPrivateFile(selectionPath(project));
  try {
    const { tenant_id: id } = JSON.parse(text ?? '{}') as { tenant_id?: unknown };
    return typeof id === 'string' ? id : undefined;
  } catch {
    // A convenience must not stand in the way: without a selection, people are asked.
    return undefined;
  }
}

/** Selects a tenant, or none. */
export async function saveSelection(project: ProjectContext, tenantId: string | undefined): Promise<void> {
  const { deletePrivateFile, replacePrivateFile } = await import('@sp/private-file');
  const path = selectionPath(project);
  if (tenantId === undefined) await deletePrivateFile(path);
  else await replacePrivateFile(path, `${JSON.stringify({ tenant_id: tenantId }, undefined, 2)}\n`);
}

function selectionPath(project: ProjectContext): string {
  return join(dirname(project.localCredentials), 'selection.json');
}
