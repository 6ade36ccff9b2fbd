import { type Document, isMap, isScalar, parseDocument } from 'yaml';
import type { TenantsFinding } from '../tenants-error.ts';
import { applyChange, isDifference, spliceCandidates, type YamlChange } from './splice-yaml.ts';
import { isTooDeep } from './yaml-depth.ts';

/** What a member of a profile can be set to. */
export type ProfileValue = string | number | boolean | null | readonly string[];

/**
 * Sets members, given by their names with dots, in a YAML text; `undefined` takes one out. Only the bytes of those
 * members change, where that gives the right text; else it is written anew, with its comments. Gives what is wrong with
 * a member or the whole file when it cannot be done.
 */
export function changeYaml(
  text: string,
  changes: readonly (readonly [member: string, value: ProfileValue | undefined])[],
): { readonly text: string } | TenantsFinding {
  if (isTooDeep(text)) return { member: 'file', problem: 'is nested too deeply' };
  let changed = hideVariables(text);
  for (const [member, value] of changes) {
    const path = member.split('.');
    const document = parseDocument(changed, { logLevel: 'silent' });
    if (document.errors.length > 0 || !isMap(document.contents)) return { member: 'file', problem: 'is not YAML' };
    const problem = problemWith(document, path);
    if (problem !== undefined) return { member, problem };
    changed = changeMember(changed, document, { path, value: hideVariablesOf(value) });
  }
  return { text: showVariables(changed) };
}

function changeMember(text: string, document: Document, change: YamlChange): string {
  if (!isDifference(document, change)) return text;
  const candidates = spliceCandidates(text, document, change);
  return candidates.find((candidate) => isRight(candidate, document, change)) ?? anew(text, change);
}

function problemWith(document: Document, path: readonly string[]): string | undefined {
  if (path.some((name) => name === '' || name === '__proto__')) return 'is no name of a member';
  const parents = path.slice(0, -1).map((_, index) => document.getIn(path.slice(0, index + 1), true));
  // A block that is absent or empty comes into being; a text or a list has no members.
  const fit = parents.every((node) => node === undefined || isMap(node) || (isScalar(node) && node.value === null));
  return fit ? undefined : 'is below something that has no members';
}

/** Whether a text says what the document would say after the change, and nothing else. */
function isRight(text: string, before: Document, change: YamlChange): boolean {
  const after = parseDocument(text, { logLevel: 'silent' });
  if (after.errors.length > 0) return false;
  const expected = before.clone();
  applyChange(expected, change);
  try {
    return JSON.stringify(after.toJS()) === JSON.stringify(expected.toJS());
  } catch {
    // Too many aliases to be sure.
    return false;
  }
}

function anew(text: string, change: YamlChange): string {
  const document = parseDocument(text, { logLevel: 'silent' });
  applyChange(document, change);
  return document.toString({ lineWidth: 0 });
}

/**
 * `${NAME}` is no YAML inside `{ }`. These signs of the private area are, everywhere, and keep every place in the text
 * where it is.
 */
function hideVariables(text: string): string {
  return text.replace(/\$\{([A-Za-z0-9_]+)\}/g, '\uE5D0\uE5D1$1\uE5D2');
}

function hideVariablesOf(value: ProfileValue | undefined): ProfileValue | undefined {
  if (typeof value === 'string') return hideVariables(value);
  return typeof value === 'object' && value !== null ? value.map(hideVariables) : value;
}

function showVariables(text: string): string {
  return text.replace(/\uE5D0\uE5D1([A-Za-z0-9_]+)\uE5D2/g, '$${$1}');
}
