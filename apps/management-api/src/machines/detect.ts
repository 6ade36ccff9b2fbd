import { networkInterfaces } from 'node:os';
import * as z from 'zod/mini';
import { createDockerRun } from './docker-command.ts';
import { lastLines } from './last-lines.ts';

/** Whether containers can be run here. */
export interface DockerDetection {
  readonly available: boolean;
  /** Why not, in the docker client's words. */
  readonly reason?: string | undefined;
  /** The address by which containers reach this computer. */
  readonly gateway?: string | undefined;
}

/** How long an engine may take to answer, in milliseconds. */
const patienceMs = 3000;

const networkSchema = z.object({
  IPAM: z.object({
    Config: z.nullish(z.array(z.object({ Subnet: z.optional(z.string()), Gateway: z.optional(z.string()) }))),
  }),
  Options: z.nullish(z.record(z.string(), z.string())),
});

/** Asks whether a Docker engine answers within three seconds. */
export async function detectDocker(
  options: { readonly signal?: AbortSignal | undefined; readonly binary?: string | undefined } = {},
): Promise<DockerDetection> {
  const { signal, binary } = options;
  const run = createDockerRun(binary);
  const version = await run(['version', '--format', '{{.Server.Version}}'], { signal, timeoutMs: patienceMs });
  if (version.exitCode !== 0) {
    const [reason = 'the docker client did not run or got no answer'] = lastLines(version.stderr, 1);
    return { available: false, reason };
  }
  const network = await run(['network', 'inspect', '--format', '{{json .}}', 'bridge'], {
    signal,
    timeoutMs: patienceMs,
  });
  return { available: true, gateway: network.exitCode === 0 ? gatewayOf(network.stdout) : undefined };
}

/** Engines do not always name the gateway of their default network; then the bridge's own address is it. */
function gatewayOf(json: string): string | undefined {
  const parsed = networkSchema.safeParse(JSON.parse(json));
  if (!parsed.success) return undefined;
  const configs = parsed.data.IPAM.Config ?? [];
  const isVersion4 = (address: string | undefined): boolean => /^\d+(\.\d+){3}/.test(address ?? '');
  const named = configs.map(({ Gateway }) => Gateway).find(isVersion4);
  if (named !== undefined) return named.replace(/\/\d+$/, '');
  const bridge = networkInterfaces()[parsed.data.Options?.['com.docker.network.bridge.name'] ?? 'docker0'];
  const own = bridge?.find(({ family }) => family === 'IPv4')?.address;
  if (own !== undefined) return own;
  const subnet = configs.map(({ Subnet }) => Subnet).find(isVersion4);
  return subnet?.replace(/\.\d+\/\d+$/, '.1');
}
