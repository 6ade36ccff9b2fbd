/**
 * `snake_case` on the wire, `camelCase` in TypeScript: this file is the only place that knows both.
 * Members named in `opaque` hold maps whose keys belong to the user (environment variable names) and stay as they are.
 */
const opaque: ReadonlySet<string> = new Set(['secrets']);

/** Turns a parsed JSON answer into camelCase keys. */
export function fromWire(value: unknown): unknown {
  return convert(value, (key) => key.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase()));
}

/** Turns a request into snake_case keys; members that are `undefined` are left out. */
export function toWire(value: unknown): unknown {
  return convert(value, (key) => key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`));
}

// Deeper than anything of the contract, and far from what would exhaust the stack.
const deepest = 32;

function convert(value: unknown, rename: (key: string) => string, depth = 0): unknown {
  if (depth > deepest) return undefined;
  if (Array.isArray(value)) return value.map((item) => convert(item, rename, depth + 1));
  if (typeof value !== 'object' || value === null) return value;
  // Object.fromEntries defines own members, so a hostile `__proto__` key cannot change a prototype.
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .map(([key, member]) => [rename(key), opaque.has(key) ? member : convert(member, rename, depth + 1)]),
  );
}
