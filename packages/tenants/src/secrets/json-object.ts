import { withoutMark } from '../without-mark.ts';

/** The members of a JSON text that is an object, else `undefined`. A map, so that a name like `__proto__` is only a name. */
export function parseJsonObject(text: string): Map<string, unknown> | undefined {
  let value: unknown;
  try {
    value = JSON.parse(withoutMark(text));
  } catch {
    return undefined;
  }
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? new Map(Object.entries(value))
    : undefined;
}
