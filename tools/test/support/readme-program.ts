/** What the readers of a README have already when they come to an example, by its name in the examples. */
export const readersNames = `
import type { CloudApiClient, RegistryToken, TenantSecrets } from '@sp/cloud-api';
import type { RegistryDecision } from '@sp/oci';
declare global {
  const api: CloudApiClient;
  const cacheDirectory: string;
  const env: Readonly<Record<string, string | undefined>>;
  const id: string;
  const projectRoot: string;
  const secrets: TenantSecrets;
  const secretsUrl: string;
  const request: Request;
  const signal: AbortSignal;
  const syncToken: string;
  const target: RegistryToken;
  const tenantId: string;
  const token: string;
  /** Of a database. */
  const url: string;
  function askServer(...facts: readonly unknown[]): Promise<string>;
  function decide(...facts: readonly unknown[]): Promise<RegistryDecision>;
  function getToken(): Promise<string>;
  function open(url: string): Promise<void>;
  function readMyToken(): Promise<string>;
  function redeem(...facts: readonly unknown[]): Promise<{ accessToken: string }>;
}
`;

/**
 * The TypeScript examples of a README as one module. An example sees the names of those before it and may use them
 * anew; what it takes from the package itself without saying so (`exported`) is imported.
 */
export function readmeProgram(
  readme: string,
  from: { readonly name: string; readonly exported: readonly string[] },
): string {
  const examples = Array.from(readme.matchAll(/^```ts\n(.*?)^```$/gms), ([, code = '']) => code);
  const isImport = /^import [^;]*;$/gms;
  const imports = examples.flatMap((code) => code.match(isImport) ?? []);
  const bodies = examples.map((code) => code.replace(isImport, ''));
  const named = imports.join('\n');
  const unsaid = from.exported.filter(
    (name) => !new RegExp(`\\b${name}\\b`).test(named) && bodies.some((body) => new RegExp(`\\b${name}\\(`).test(body)),
  );
  if (unsaid.length > 0) imports.push(`import { ${unsaid.join(', ')} } from '${from.name}';`);
  // One inside the other, so that a later one may say `const` of the same name.
  const nested = bodies.reduceRight((inner, body) => `${body}\n{\n${inner}\n}`, '');
  return `${[...new Set(imports)].join('\n')}\n${nested}\nexport {};\n`;
}
