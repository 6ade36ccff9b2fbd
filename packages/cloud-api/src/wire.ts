/**
 * `snake_case` on the wire, `camelCase` in TypeScript: this file is the only place that knows both.
 * Members named in `opaque` hold maps whose keys belong to the user (environment variable names) and stay as they are.
 */
const opaque: ReadonlySet<string> = new Set(['secrets']);

/** Turns a parsed JSON answer into camelCase keys. */
export function fromWire(value: unknown): unknown {
  return convert(value, camelCase, 0);
}

/** The same for an answer: servers of both generations write `null` for what is absent, so those members are left out. */
export function fromAnswer(value: unknown): unknown {
  return convert(value, (key, member) => (member === null ? undefined : camelCase(key)), 0);
}

/** Turns a request into snake_case keys; members that are `undefined` are left out. */
export function toWire(value: unknown): unknown {
  return convert(value, snakeCase, 0);
}

/** The new name of a member; without one it is left out. */
type Rename = (key: string, member: unknown) => string | undefined;

// Deeper than anything of the contract, and far from what would exhaust the stack.
const deepest = 32;

function convert(value: unknown, rename: Rename, depth: number): unknown {
  if (depth > deepest) return undefined;
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => convert(item, rename, depth + 1));
  const result: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    const member = (value as Record<string, unknown>)[key];
    // A hostile `__proto__` would change the prototype, and no endpoint has a member of that name.
    const name = member === undefined || key === '__proto__' ? undefined : rename(key, member);
    if (name !== undefined) result[name] = opaque.has(key) ? member : convert(member, rename, depth + 1);
  }
  return result;
}

/** Answers repeat few names many times. Not more of them than the contract has, so that no server can fill the memory. */
const known = new Map<string, string>();

function camelCase(key: string): string {
  let name = known.get(key);
  if (name === undefined) {
    name = key.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
    if (known.size < 200 && key.length < 64) known.set(key, name);
  }
  return name;
}

function snakeCase(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
