// The quickstart (`npm start`): a whole cloud on this computer, a tenant in it, deployed twice. Every step is the
// `systemprompt` binary, called as a person would call it.
import { parseArgs } from 'node:util';
import { createQuickstart, type MachineKind } from './quickstart-session.ts';
import { quickstartSteps, stopStep } from './quickstart-steps.ts';

const usage = `Usage: npm start -- [--machines auto|docker|process] [--keep] [--provider-delay-ms N]

  --machines           What tenants run in (default auto: Docker where an engine answers, else processes)
  --keep               Leave the cloud running, and say how to go on
  --provider-delay-ms  How long each pretended call to a provider takes`;

async function main(): Promise<number> {
  const options = readOptions();
  if (typeof options === 'string') {
    console.error(options);
    return options === usage ? 0 : 2;
  }
  const interrupt = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      if (!interrupt.signal.aborted) console.log('\nStopping; one moment …');
      interrupt.abort();
    });
  }
  const session = await createQuickstart({ ...options, signal: interrupt.signal });
  try {
    for (const step of [session.prepare, ...quickstartSteps, ...(options.keep ? [] : [stopStep])])
      await session.run(step);
  } catch (error) {
    if (!interrupt.signal.aborted) {
      console.error(
        `\n✗ The quickstart failed at step "${session.current}": ${error instanceof Error ? error.message : error}`,
      );
      await session.end({ keep: false });
      return 1;
    }
  }
  await session.end({ keep: options.keep && !interrupt.signal.aborted });
  return interrupt.signal.aborted ? 130 : 0;
}

function readOptions(): string | { machines: MachineKind; keep: boolean; providerDelayMs: number | undefined } {
  try {
    const { values } = parseArgs({
      options: {
        machines: { type: 'string', default: 'auto' },
        keep: { type: 'boolean', default: false },
        'provider-delay-ms': { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) return usage;
    const { machines, keep } = values;
    if (machines !== 'auto' && machines !== 'docker' && machines !== 'process') {
      return `--machines must be auto, docker or process, got ${JSON.stringify(machines)}`;
    }
    const delay = values['provider-delay-ms'];
    if (delay !== undefined && !/^\d+$/.test(delay)) return '--provider-delay-ms must be a whole number';
    return { machines, keep, providerDelayMs: delay === undefined ? undefined : Number(delay) };
  } catch (error) {
    return `${error instanceof Error ? error.message : error}\n\n${usage}`;
  }
}

process.exit(await main());
