/**
 * The JSON form of a result: keys in snake_case all the way down, `undefined` left out, dates as ISO strings. Of a Map,
 * such as the headers of a gateway, the names: its values are whatever people put there, secrets too.
 */
export function toSnakeCase(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toSnakeCase);
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Map) return [...value.keys()];
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, item]) => item !== undefined)
      .map(([key, item]) => [key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), toSnakeCase(item)]),
  );
}
