import { parse } from 'yaml';
import type { ProjectFinding } from '../deploy-error.ts';
import { readProjectText } from './project-files.ts';

/** A document of the project; `undefined` for one that is not there, and for one that cannot be read, which is found. */
export async function readYaml(projectRoot: string, path: string, findings: ProjectFinding[]): Promise<unknown> {
  const text = await readProjectText(projectRoot, path);
  if (text === undefined) return undefined;
  try {
    return parse(text) as unknown;
  } catch (error) {
    const line = (error as { readonly linePos?: readonly { readonly line: number }[] }).linePos?.[0]?.line;
    findings.push({ path, problem: 'not YAML', ...(line === undefined ? {} : { line }) });
    return undefined;
  }
}
