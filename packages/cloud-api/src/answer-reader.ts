/**
 * What of zod/mini the answers of the contract need, in a tenth of its size. The build of the client takes this file in
 * zod's place (`contract-for-clients.ts`), and `test/answer-reader.test.ts` holds both to the same results.
 */
type Reader = (value: unknown, at: Place) => unknown;

/** Where a reader is, and what it calls when the value there is not what it should be. */
interface Place {
  readonly path: (string | number)[];
  readonly refuse: () => void;
}

/** What came of reading, as zod says it; only the first issue is told. */
type Result =
  | { readonly success: true; readonly data: unknown }
  | { readonly success: false; readonly error: { readonly issues: readonly [Issue] } };

interface Issue {
  readonly path: readonly (string | number)[];
}

export function safeParse(reader: Reader, value: unknown): Result {
  let issue: Issue | undefined;
  const path: (string | number)[] = [];
  const refuse = (): void => {
    issue ??= { path: [...path] };
  };
  const data = reader(value, { path, refuse });
  return issue === undefined ? { success: true, data } : { success: false, error: { issues: [issue] } };
}

const primitive =
  (type: string): (() => Reader) =>
  () =>
  (value, { refuse }) =>
    // NaN and Infinity are not in JSON, and zod takes neither.
    typeof value === type && (type !== 'number' || Number.isFinite(value)) ? value : refuse();

export const string = primitive('string');
export const number = primitive('number');
export const boolean = primitive('boolean');

export function optional(inner: Reader): Reader {
  return (value, at) => (value === undefined ? value : inner(value, at));
}

export function _default(inner: Reader, fallback: unknown): Reader {
  return (value, at) => (value === undefined ? structuredClone(fallback) : inner(value, at));
}

export function array(item: Reader): Reader {
  return (value, at) =>
    Array.isArray(value) ? value.map((element, index) => below(at, index, item, element)) : at.refuse();
}

/** Members that are not in the shape are left out. */
export function object(shape: Readonly<Record<string, Reader>>): Reader {
  const members = Object.entries(shape);
  return (value, at) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return at.refuse();
    const result: Record<string, unknown> = {};
    for (const [name, reader] of members) {
      const member = below(at, name, reader, (value as Readonly<Record<string, unknown>>)[name]);
      if (member !== undefined) result[name] = member;
    }
    return result;
  };
}

function below(at: Place, name: string | number, reader: Reader, value: unknown): unknown {
  at.path.push(name);
  const read = reader(value, at);
  at.path.pop();
  return read;
}
