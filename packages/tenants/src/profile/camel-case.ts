/** `two_words` as a type: `twoWords`. */
type CamelCaseName<Name> = Name extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<CamelCaseName<Tail>>}`
  : Name;

/** The same for all members, as deep as they go; maps have the names of somebody else. */
export type CamelCase<T> =
  T extends ReadonlyMap<unknown, unknown>
    ? T
    : T extends readonly (infer Item)[]
      ? CamelCase<Item>[]
      : T extends object
        ? { [Name in keyof T as CamelCaseName<Name>]: CamelCase<T[Name]> }
        : T;

/** Members that are called `like_this` on disk, called `likeThis`. */
export function camelCase<T>(value: T): CamelCase<T> {
  return renamed(value) as CamelCase<T>;
}

function renamed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(renamed);
  if (typeof value !== 'object' || value === null || value instanceof Map) return value;
  const members = Object.entries(value).map(([name, member]) => [camelCaseName(name), renamed(member)] as const);
  return Object.fromEntries(members);
}

function camelCaseName(name: string): string {
  return name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
