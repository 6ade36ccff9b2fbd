import { join } from 'node:path';
import type { LayerEntry } from '@sp/oci';
import { type ImagePlan, type PlanLayer, planLayers } from '../plan/image-plan.ts';
import { parentFolders } from '../plan/parent-folders.ts';

/** The entries of one layer of a plan. */
export interface LayerPlan {
  readonly name: PlanLayer;
  readonly entries: readonly LayerEntry[];
}

/** What each layer of the image holds; empty layers are left out. The plan's own folders are in the lowest one. */
export function planEntries(plan: ImagePlan): readonly LayerPlan[] {
  const [uid = 0, gid = uid] = plan.user.split(':').map(Number);
  return planLayers.flatMap((name, index) => {
    const files = plan.files.filter((file) => file.layer === name);
    const own = index === 0 ? plan.directories : [];
    // Parents are listed too: those that the layer writer adds by itself belong to root, and hide the owner below.
    const directories = new Set([...own, ...files.flatMap((file) => parentFolders(file.destination, plan.workingDir))]);
    const entries: LayerEntry[] = [
      ...Array.from(directories, (path) => ({
        type: 'directory' as const,
        path: path.slice(1),
        mode: 0o755,
        uid,
        gid,
      })),
      ...files.map(({ source, destination, mode, identity }) => {
        return {
          type: 'file' as const,
          path: destination.slice(1),
          source: join(plan.projectRoot, source),
          identity,
          mode,
          uid,
          gid,
        };
      }),
    ];
    return entries.length === 0 ? [] : [{ name, entries }];
  });
}
