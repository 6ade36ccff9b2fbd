import { isDeepStrictEqual } from 'node:util';
import { type Document, isCollection, isMap, isNode, isScalar, isSeq, stringify, type YAMLMap } from 'yaml';
import type { ProfileValue } from './change-yaml.ts';

/** One member, by its path, and what it is to be; `undefined` takes it out. */
export interface YamlChange {
  readonly path: readonly string[];
  readonly value: ProfileValue | undefined;
}

/** Whether the change changes anything. */
export function isDifference(document: Document, { path, value }: YamlChange): boolean {
  const node = document.getIn(path, true);
  if (value === undefined || node === undefined) return node !== undefined || value !== undefined;
  const now = isCollection(node) ? node.toJS(document) : isScalar(node) ? node.value : undefined;
  return !isDeepStrictEqual(now, value);
}

/** Makes the change in the document, blocks around it included. */
export function applyChange(document: Document, { path, value }: YamlChange): void {
  if (value === undefined) {
    document.deleteIn(path);
    return;
  }
  for (let length = 1; length < path.length; length += 1) {
    const around = path.slice(0, length);
    if (!isMap(document.getIn(around, true))) document.setIn(around, document.createNode({}));
  }
  document.setIn(path, document.createNode(value));
}

/**
 * Texts that differ in the lines of the one member only, the nicest first. Not all of them are right: a value may not
 * fit where it is put.
 */
export function spliceCandidates(text: string, document: Document, change: YamlChange): readonly string[] {
  const { path, value } = change;
  if (value === undefined) return removed(text, document, path);
  return document.hasIn(path) ? replaced(text, document, { path, value }) : inserted(text, document, { path, value });
}

type Setting = YamlChange & { readonly value: ProfileValue };

function replaced(text: string, document: Document, { path, value }: Setting): readonly string[] {
  const node = document.getIn(path, true);
  if (!isNode(node) || !node.range) return [];
  const [start] = node.range;
  const end = text.slice(0, node.range[1]).trimEnd().length;
  if (end <= start) return [];
  return valueTexts(value, isSeq(node) && node.flow !== true ? start - lineStart(text, start) : undefined)
    .filter((candidate) => typeof value === 'object' || !candidate.includes('\n'))
    .map((candidate) => text.slice(0, start) + candidate + text.slice(end));
}

/** A value in the forms that it can have; `column` is where the items of a list stand, one in each line. */
function valueTexts(value: ProfileValue, column: number | undefined): readonly string[] {
  const short = stringify(value, { lineWidth: 0, collectionStyle: 'flow' }).trimEnd();
  // The short form is not right inside `{ }`, where a comma ends a value.
  const safe = JSON.stringify(value);
  if (typeof value !== 'object' || value === null || column === undefined) return [short, safe];
  // A list's items may stand right below its name, everything else has to stand further to the right.
  if (value.length === 0) return [short, ` ${short}`];
  return [value.map((item) => `- ${stringify(item, { lineWidth: 0 }).trimEnd()}`).join(`\n${' '.repeat(column)}`)];
}

/** Puts a member behind the last one of the innermost block that there is. */
function inserted(text: string, document: Document, { path, value }: Setting): readonly string[] {
  let depth = path.length - 1;
  while (depth > 0 && !isMap(document.getIn(path.slice(0, depth), true))) depth -= 1;
  const map = depth === 0 ? document.contents : document.getIn(path.slice(0, depth), true);
  // An empty block (`runtime:`) has its place, but no line that shows how far to the right.
  if (!isMap(map) || map.flow === true || document.hasIn(path.slice(0, depth + 1))) return [];
  const places = map.items.map((pair) => placeOf(text, pair));
  const [first] = places;
  const last = places.at(-1);
  if (first === undefined || last === undefined) return [];
  const nested = path.slice(depth).reduceRight<unknown>((inner, name) => ({ [name]: inner }), value);
  const indent = ' '.repeat(first.key - lineStart(text, first.key));
  const eol = text.includes('\r\n') ? '\r\n' : '\n';
  const lines = stringify(nested, { lineWidth: 0 }).trimEnd().split('\n');
  const block = lines.map((line) => indent + line + eol).join('');
  const before = text.slice(0, last.end);
  return [before + (before.endsWith('\n') ? '' : eol) + block + text.slice(last.end)];
}

/** Takes the lines of a member out. */
function removed(text: string, document: Document, path: readonly string[]): readonly string[] {
  const map = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  if (!isMap(map) || map.flow === true) return [];
  const pair = map.items.find(({ key }) => isScalar(key) && key.value === path.at(-1));
  const place = pair && placeOf(text, pair);
  return place ? [text.slice(0, lineStart(text, place.key)) + text.slice(place.end)] : [];
}

/** Where the key of a member begins, and where the line ends in which the member ends. */
function placeOf(
  text: string,
  { key, value }: YAMLMap['items'][number],
): { readonly key: number; readonly end: number } | undefined {
  if (!isScalar(key) || !key.range) return undefined;
  const valueEnd = isNode(value) && value.range ? value.range[1] : 0;
  const written = text.slice(0, Math.max(key.range[1], valueEnd)).trimEnd().length;
  const lineEnd = text.indexOf('\n', written);
  return { key: key.range[0], end: lineEnd === -1 ? text.length : lineEnd + 1 };
}

function lineStart(text: string, place: number): number {
  return text.lastIndexOf('\n', place - 1) + 1;
}
