import type { MachineSpec } from '../../ports/machines.ts';
import { releaseKey, tenantKey } from './fly-context.ts';

/** The port that every tenant image listens on. */
const machinePort = 8080;
/** Memory comes in such steps, in MB, and at most so much for each processor. */
const memoryStep = 256;
const memoryPerCpu = 2048;
const cpuCounts = [1, 2, 4, 8];

/** How a release's machine is configured; nothing in it is secret. */
export function machineConfig(
  spec: MachineSpec,
  parts: { readonly image: string; readonly volumeId: string; readonly volumePath: string },
): Readonly<Record<string, unknown>> {
  const { image, volumeId, volumePath } = parts;
  return {
    image,
    guest: guestOf(spec.memoryMb),
    // Fly.io gives its folder to the image's user at each start.
    mounts: [{ volume: volumeId, path: volumePath }],
    services: [
      {
        protocol: 'tcp',
        internal_port: machinePort,
        // The control plane decides what runs.
        autostop: 'off',
        autostart: false,
        ports: [
          { port: 80, handlers: ['http'], force_https: true },
          { port: 443, handlers: ['tls', 'http'] },
        ],
        // Until it passes, requests go to the machine before.
        checks: [
          { type: 'http', method: 'GET', path: '/api/v1/health', interval: '5s', timeout: '2s', grace_period: '5s' },
        ],
      },
    ],
    restart: { policy: 'on-failure', max_retries: 3 },
    stop_config: { signal: 'SIGTERM', timeout: '5s' },
    metadata: { [tenantKey]: spec.tenantId, [releaseKey]: spec.releaseId },
  };
}

function guestOf(memoryMb: number): { readonly cpu_kind: 'shared'; readonly cpus: number; readonly memory_mb: number } {
  const wanted = Math.max(memoryStep, Math.ceil(memoryMb / memoryStep) * memoryStep);
  const cpus = cpuCounts.find((count) => wanted <= count * memoryPerCpu) ?? 8;
  const memory = Math.min(Math.max(wanted, cpus * memoryStep), cpus * memoryPerCpu);
  return { cpu_kind: 'shared', cpus, memory_mb: memory };
}
