import * as z from 'zod/mini';
import type { ProjectFinding } from '../deploy-error.ts';
import { listNames } from './project-files.ts';
import { readYaml } from './read-yaml.ts';

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

/** What looks like the manifest of an extension. */
const anyManifest = z.object({ extension: z.unknown() });

const servicesConfigSchema = z.object({
  mcp_servers: z.nullish(
    z.record(z.string(), z.object({ binary: z.nullish(z.string()), dev_only: z.nullish(z.boolean()) })),
  ),
});

/** Every folder `extensions/*` and `extensions/*\/*` with a `manifest.yaml` of an extension, sorted. Damaged ones are found. */
export async function listExtensions(
  projectRoot: string,
  findings: ProjectFinding[],
): Promise<readonly ProjectExtension[]> {
  const outer = (await listNames(projectRoot, 'extensions')).map((name) => `extensions/${name}`);
  const inner = await Promise.all(
    outer.map(async (folder) => (await listNames(projectRoot, folder)).map((name) => `${folder}/${name}`)),
  );
  const extensions: ProjectExtension[] = [];
  for (const directory of [...outer, ...inner.flat()].sort()) {
    const path = `${directory}/manifest.yaml`;
    const document = await readYaml(projectRoot, path, findings);
    // Other tools have manifests of that name too.
    if (!anyManifest.safeParse(document).success) continue;
    const manifest = manifestSchema.safeParse(document);
    if (!manifest.success) {
      const field = manifest.error.issues[0]?.path.map(String).join('.') ?? 'extension';
      findings.push({ path, problem: `\`${field}\` is malformed` });
      continue;
    }
    const { type, binary, enabled } = manifest.data.extension;
    extensions.push({ directory, mcpBinary: type === 'mcp' && enabled ? (binary ?? undefined) : undefined });
  }
  return extensions;
}

/** The MCP programs that belong in an image: all but those that `services/config/config.yaml` marks `dev_only`. */
export async function listMcpBinaries(
  projectRoot: string,
  { extensions, findings }: { readonly extensions: readonly ProjectExtension[]; readonly findings: ProjectFinding[] },
): Promise<readonly string[]> {
  const config = servicesConfigSchema.safeParse(await readYaml(projectRoot, 'services/config/config.yaml', findings));
  const servers = Object.values((config.success ? config.data.mcp_servers : undefined) ?? {});
  const developmentOnly = new Set(servers.filter((server) => server.dev_only === true).map((server) => server.binary));
  const binaries = extensions.flatMap(({ mcpBinary }) => (mcpBinary === undefined ? [] : [mcpBinary]));
  return Array.from(new Set(binaries)).filter((binary) => !developmentOnly.has(binary));
}
