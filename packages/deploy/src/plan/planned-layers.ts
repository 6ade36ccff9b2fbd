import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { BuiltImage } from '../image-builder.ts';
import { type ImagePlan, type PlanLayer, planLayers } from './image-plan.ts';

/** One layer that the project adds to its base. */
export interface PlannedLayer {
  /** Which part of the project is in it. */
  readonly name: PlanLayer;
  /** How many files are in it. */
  readonly files: number;
  /** Bytes of the files. */
  readonly bytes: number;
  /** Compressed, as it is uploaded; unknown when docker builds. */
  readonly size?: number | undefined;
  /** Of the compressed layer; unknown when docker builds. */
  readonly digest?: string | undefined;
  /** Whether it was in the cache; unknown when docker builds. */
  readonly cached?: boolean | undefined;
}

/**
 * The layers of a plan that have something in them, with what a build of it has found out. None when a Dockerfile that
 * was edited by hand says what they are.
 */
export async function planLayerSizes(plan: ImagePlan, built: BuiltImage | undefined): Promise<readonly PlannedLayer[]> {
  if (plan.dockerfile !== undefined) return [];
  const made = built?.kind === 'oci' ? (built.layers ?? []) : [];
  const layers: PlannedLayer[] = [];
  for (const name of planLayers) {
    const files = plan.files.filter((file) => file.layer === name);
    const layer = made.find((candidate) => candidate.name === name);
    if (files.length === 0 && layer === undefined) continue;
    let bytes = 0;
    for (const { source } of files) bytes += (await stat(join(plan.projectRoot, source))).size;
    layers.push({ name, files: files.length, bytes, size: layer?.size, digest: layer?.digest, cached: layer?.cached });
  }
  return layers;
}
