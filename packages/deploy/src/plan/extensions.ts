import { parse } from 'yaml';
import * as z from 'zod/mini';
import { listNames, readProjectText } from './project-files.ts';

/** An extension of the project. */
export interface ProjectExtension {
  /** Its folder relative to the project. */
  readonly directory: string;
  /** The program of an enabled MCP extension, in `target/release`. */
  readonly mcpBinary: string | undefined;
}

const manifestSchema = z.object({
  extension: z.object({
    type: z.optional(z.string()),
    binary: z.nullish(z.string().check(z.regex(/^[A-Za-z0-9._-]+$/))),
    enabled: z._default(z.boolean(), true),
  }),
});

const servicesConfigSchema = z.object({
  mcp_servers: z.nullish(
    z.record(z.string(), z.object({ binary: z.nullish(z.string()), dev_only: z.nullish(z.boolean()) })),
  ),
});

/** Every folder `extensions/*` and `extensions/*\/*` with a readable `manifest.yaml`, sorted. */
export async function listExtensions(projectRoot: string): Promise<readonly ProjectExtension[]> {
  const outer = (await listNames(projectRoot, 'extensions')).map((name) => `extensions/${name}`);
  const inner = await Promise.all(
    outer.map(async (folder) => (await listNames(projectRoot, folder)).map((name) => `${folder}/${name}`)),
  );
  const extensions: ProjectExtension[] = [];
  for (const directory of [...outer, ...inner.flat()].sort()) {
    const text = await readProjectText(projectRoot, `${directory}/manifest.yaml`);
    const manifest = manifestSchema.safeParse(parseYaml(text));
    if (!manifest.success) continue;
    const { type, binary, enabled } = manifest.data.extension;
    extensions.push({ directory, mcpBinary: type === 'mcp' && enabled ? (binary ?? undefined) : undefined });
  }
  return extensions;
}

/** The MCP programs that belong in an image: all but those that `services/config/config.yaml` marks `dev_only`. */
export async function listMcpBinaries(
  projectRoot: string,
  extensions: readonly ProjectExtension[],
): Promise<readonly string[]> {
  const text = await readProjectText(projectRoot, 'services/config/config.yaml');
  const config = servicesConfigSchema.safeParse(parseYaml(text));
  const servers = Object.values((config.success ? config.data.mcp_servers : undefined) ?? {});
  const developmentOnly = new Set(servers.filter((server) => server.dev_only === true).map((server) => server.binary));
  const binaries = extensions.flatMap(({ mcpBinary }) => (mcpBinary === undefined ? [] : [mcpBinary]));
  return Array.from(new Set(binaries)).filter((binary) => !developmentOnly.has(binary));
}

/** `undefined` for what is not YAML: such a file describes nothing. */
export function parseYaml(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : parse(text);
  } catch {
    return undefined;
  }
}
