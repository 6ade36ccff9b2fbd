import { resolve } from 'node:path';
import { isLocalCloudError } from '../local/local-cloud-error.ts';
import { startLocalCloud } from '../local/start-local-cloud.ts';
import { defineCommand } from './define-command.ts';
import { exitCodes } from './exit-codes.ts';
import { untilSignal } from './until-signal.ts';

/** `sp-management-api local`: the whole cloud on this computer. */
export const localCommand = defineCommand({
  command: 'local',
  epilogue: 'Reads no variables of the environment. Ctrl-C ends it; its data stays in the folder.',
  describe: 'Run SystemPrompt Cloud whole on this computer.',
  options: {
    'data-dir': {
      type: 'string',
      demandOption: true,
      requiresArg: true,
      describe: 'Folder for everything it keeps',
    },
    port: { type: 'number', default: 7300, requiresArg: true, describe: 'Port on 127.0.0.1; 0 for any' },
    machines: {
      choices: ['auto', 'docker', 'process'] as const,
      default: 'auto' as const,
      describe: 'What tenants run in',
    },
    'provider-delay-ms': {
      type: 'number',
      default: 0,
      requiresArg: true,
      describe: 'Makes each provider call slower',
    },
  },
  check: ({ port, providerDelayMs }) => {
    if (!isInteger(port, 65_535)) return '--port is a number from 0 to 65535.';
    if (!isInteger(providerDelayMs, 3_600_000)) {
      return '--provider-delay-ms is a number of milliseconds, at most an hour.';
    }
    return undefined;
  },
  run: async ({ dataDir, port, machines, providerDelayMs }) => {
    const asked = untilSignal();
    try {
      const cloud = await startLocalCloud({
        dataDir: resolve(dataDir),
        port,
        machines,
        providerDelayMs,
        signal: asked.signal,
      });
      process.stdout.write(`${JSON.stringify({ url: cloud.url, machines: cloud.machines })}\n`);
      await asked.done;
      await cloud.stop();
      process.exitCode = exitCodes.ok;
    } catch (error) {
      if (asked.signal.aborted) return;
      const [code, message] = isLocalCloudError(error)
        ? [error.code, error.message]
        : ['SP_LOCAL_FAILED', error instanceof Error ? error.message : String(error)];
      process.stderr.write(`${code}: ${message}\n`);
      const isTaken = code === 'SP_LOCAL_PORT_BUSY' || code === 'SP_LOCAL_ALREADY_RUNNING';
      process.exitCode = isTaken ? exitCodes.conflict : exitCodes.failed;
    }
  },
});

function isInteger(value: unknown, max: number): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= max;
}
