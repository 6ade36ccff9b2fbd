import { isDeepStrictEqual } from 'node:util';
import { type Document, isCollection, isMap, isScalar, parseDocument, stringify } from 'yaml';
import type { TenantsFinding } from '../tenants-error.ts';
import { isTooDeep } from './yaml-depth.ts';

/** What a member of a profile can be set to. */
export type ProfileValue = string | number | boolean | null | readonly string[];

/**
 * Sets members, given by their names with dots, in a YAML text; `undefined` takes one out. A value that stands in the
 * text is replaced in its place, byte by byte; only what has no place there yet makes the text be written anew, with its
 * comments. Gives what is wrong with a member or the whole file when it cannot be done.
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
    const hidden = typeof value === 'string' ? hideVariables(value) : value;
    changed = inPlace(changed, document, { path, value: hidden }) ?? anew(changed, { path, value: hidden });
  }
  return { text: showVariables(changed) };
}

interface Change {
  readonly path: readonly string[];
  readonly value: ProfileValue | undefined;
}

function problemWith(document: Document, path: readonly string[]): string | undefined {
  if (path.some((name) => name === '')) return 'is no name of a member';
  const parents = path.slice(0, -1).map((_, index) => document.getIn(path.slice(0, index + 1), true));
  // A block that is absent or empty comes into being; a text or a list has no members.
  const fit = parents.every((node) => node === undefined || isMap(node) || (isScalar(node) && node.value === null));
  return fit ? undefined : 'is below something that has no members';
}

/** The text with the new value where the old one was; `undefined` when that does not give the right text. */
function inPlace(text: string, document: Document, { path, value }: Change): string | undefined {
  const node = document.getIn(path, true);
  if (value === undefined) return node === undefined ? text : undefined;
  if (isDeepStrictEqual(isCollection(node) ? node.toJS(document) : isScalar(node) ? node.value : undefined, value))
    return text;
  if (!isScalar(node) || !node.range || typeof value === 'object') return undefined;
  const [start, end] = node.range;
  if (start === end) return undefined;
  const candidates = [stringify(value, { lineWidth: 0 }).trimEnd(), JSON.stringify(value)];
  // The short form is not right inside `{ }`, where a comma ends a value, nor over several lines.
  return candidates
    .filter((candidate) => !candidate.includes('\n'))
    .map((candidate) => text.slice(0, start) + candidate + text.slice(end))
    .find((candidate) => isRight(candidate, document, { path, value }));
}

/** Whether a text differs from the document in just the one value. */
function isRight(text: string, before: Document, { path, value }: Change): boolean {
  const after = parseDocument(text, { logLevel: 'silent' });
  if (after.errors.length > 0) return false;
  const expected = before.clone();
  expected.setIn(path, value);
  return isDeepStrictEqual(asValue(after), asValue(expected));
}

function asValue(document: Document): unknown {
  try {
    return document.toJS();
  } catch {
    // Too many aliases: nothing is equal to that, not even itself.
    return Symbol('no value');
  }
}

function anew(text: string, { path, value }: Change): string {
  const document = parseDocument(text, { logLevel: 'silent' });
  for (let length = 1; length < path.length; length += 1) {
    const parent = document.getIn(path.slice(0, length), true);
    if (value !== undefined && !isMap(parent)) document.setIn(path.slice(0, length), document.createNode({}));
  }
  if (value === undefined) document.deleteIn(path);
  else document.setIn(path, typeof value === 'object' ? document.createNode(value) : value);
  return document.toString({ lineWidth: 0, flowCollectionPadding: true });
}

/**
 * `${NAME}` is no YAML inside `{ }`. These signs of the private area are, everywhere, and keep every place in the text
 * where it is.
 */
function hideVariables(text: string): string {
  return text.replace(/\$\{([A-Za-z0-9_]+)\}/g, '\uE5D0\uE5D1$1\uE5D2');
}

function showVariables(text: string): string {
  return text.replace(/\uE5D0\uE5D1([A-Za-z0-9_]+)\uE5D2/g, '$${$1}');
}
