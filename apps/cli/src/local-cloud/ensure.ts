import type { Context } from '../context.ts';
import { startLocalCloud } from './start.ts';
import { findLocalCloud, isHealthy, type LocalCloudState } from './state.ts';

/** A local cloud that runs now. */
export interface EnsuredLocalCloud extends LocalCloudState {
  readonly dataDir: string;
  readonly alreadyRunning: boolean;
}

/** Starts the local cloud of `dataDir`, unless it runs already. */
export async function ensureLocalCloud(
  context: Context,
  options: { dataDir: string; port: number; machines: string; providerDelayMs: number | undefined },
): Promise<EnsuredLocalCloud> {
  const { env, signal, progress } = context;
  const { dataDir, ...rest } = options;
  const running = await findLocalCloud(dataDir);
  if (running !== undefined && (await isHealthy(running.url, signal))) {
    return { ...running, dataDir, alreadyRunning: true };
  }
  const step = progress.step('local-up', 'Starting the local cloud');
  try {
    const state = await startLocalCloud({ dataDirectory: dataDir, ...rest, env, signal });
    step.done();
    return { ...state, dataDir, alreadyRunning: false };
  } catch (error) {
    step.fail();
    throw error;
  }
}
