import type { DeployEvent, DeployResult } from '@sp/deploy';
import { formatBytes } from '../output/bytes.ts';
import type { Progress, ProgressStep } from '../progress.ts';

/** What each step of a deploy is called on screen. */
const titles: Readonly<Record<string, string>> = {
  preflight: 'Check',
  plan: 'Plan the image',
  build: 'Build the image',
  push: 'Push the image',
  secrets: 'Set secrets',
  deploy: 'Start the machine',
  health: 'Wait until it is healthy',
};

/** Shows a deploy step by step and answers its result. */
export async function followDeploy(events: AsyncIterable<DeployEvent>, progress: Progress): Promise<DeployResult> {
  let current: ProgressStep | undefined;
  let result: DeployResult | undefined;
  try {
    for await (const event of events) {
      if (event.type === 'step-started') current = await progress.step(titles[event.step] ?? event.step);
      else if (event.type === 'step-progress') showProgress(event, current);
      else if (event.type === 'step-completed') {
        current?.done();
        current = undefined;
      } else result = event.result;
    }
  } catch (error) {
    current?.fail();
    throw error;
  }
  if (result === undefined) throw new Error('The deploy ended without a result');
  return result;
}

/** The push says more than anybody can read: of it, only how many bytes are there counts. */
function showProgress(event: DeployEvent & { type: 'step-progress' }, step: ProgressStep | undefined): void {
  const { message, done, total } = event;
  if (event.step !== 'push') step?.update(message);
  else if (done !== undefined && total !== undefined) step?.tick(`${formatBytes(done)} of ${formatBytes(total)}`);
}
