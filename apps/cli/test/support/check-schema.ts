import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import type { JsonSchema } from '../../build/result-schemas.ts';

const keywords = 'type format enum anyOf items properties required additionalProperties';
const known = new Set(`$schema title description ${keywords}`.split(' '));

/** What of `value` is not as `schema` says, by its path; a keyword that this does not know is a problem too. */
export function schemaProblems(schema: JsonSchema, value: unknown, path = '$'): readonly string[] {
  const foreign = Object.keys(schema).filter((keyword) => !known.has(keyword));
  if (foreign.length > 0) return [`${path}: unknown keyword ${foreign.join()}`];
  if (schema.anyOf !== undefined) {
    const problems = schema.anyOf.map((one) => schemaProblems(one, value, path));
    return problems.some(({ length }) => length === 0) ? [] : [`${path}: none of the alternatives`, ...problems.flat()];
  }
  if (schema.enum !== undefined && !schema.enum.includes(value as string)) {
    return [`${path}: ${JSON.stringify(value)} is none of ${JSON.stringify(schema.enum).slice(0, 80)}`];
  }
  const type = Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value;
  if (schema.type !== undefined && schema.type !== type) return [`${path}: ${type}, not ${schema.type}`];
  if (schema.format === 'date-time' && Number.isNaN(Date.parse(value as string))) return [`${path}: no date`];
  if (Array.isArray(value)) {
    return value.flatMap((item, at) => schemaProblems(schema.items ?? {}, item, `${path}[${at}]`));
  }
  if (schema.type !== 'object') return [];
  const { properties = {}, required = [], additionalProperties = true } = schema;
  const missing = required.filter((name) => !Object.hasOwn(value as object, name));
  const inside = Object.entries(value as object).flatMap(([name, item]) => {
    const rule = Object.hasOwn(properties, name) ? properties[name] : additionalProperties;
    if (rule === false) return [`${path}.${name}: not in the schema`];
    return rule === true || rule === undefined ? [] : schemaProblems(rule, item, `${path}.${name}`);
  });
  return [...missing.map((name) => `${path}.${name}: missing`), ...inside];
}

/** The shipped schema of this name. */
export function loadSchema(name: string): JsonSchema {
  return JSON.parse(readFileSync(new URL(`../../schemas/${name}.json`, import.meta.url), 'utf8')) as JsonSchema;
}

/** Expects stdout of `--json` to be one document as the schemas of the command and of errors say. */
export function expectDocument(command: string, stdout: string): void {
  const document: unknown = JSON.parse(stdout);
  const failed = typeof document === 'object' && document !== null && 'error' in document;
  const name = failed ? 'error' : command.replaceAll(/[ :]/g, '-');
  expect(schemaProblems(loadSchema(name), document), `${command} --json, by schemas/${name}.json`).toEqual([]);
}

/** Expects every line of `--json-lines` to be as the schemas say, the last one the result or the error. */
export function expectLines(command: string, stdout: string): void {
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string; result?: unknown });
  const line = loadSchema('json-lines');
  for (const each of lines) expect(schemaProblems(line, each), JSON.stringify(each)).toEqual([]);
  const last = lines.at(-1);
  const ends = lines.filter(({ type }) => type === 'result' || type === 'error');
  expect(ends, `${command} --json-lines ends once`).toEqual([last]);
  if (last?.type === 'result') expectDocument(command, JSON.stringify(last.result));
}
