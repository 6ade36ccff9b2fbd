import { toWire } from '@sp/cloud-api/contract';
import * as z from 'zod/mini';

/** A JSON Schema (2020-12) as OpenAPI 3.1 takes it. */
export type JsonSchema = { readonly [member: string]: unknown };

/**
 * The JSON Schema of a contract's schema, with the names of the wire. `answer`: as this server sends it, so without the
 * `null` that clients tolerate from servers of the predecessor.
 */
export function jsonSchema(schema: z.ZodMiniType, direction: 'request' | 'answer'): JsonSchema {
  // Schemas of answers turn what came into what clients use: what is sent is their input.
  const { $schema: _, ...made } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema;
  return onWire(direction === 'answer' ? withoutNull(made) : made) as JsonSchema;
}

function onWire(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(onWire);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, member]) => isSaid(key, member, value))
      .map(([key, member]) => {
        if (key === 'properties' && isObject(member)) {
          return [
            key,
            Object.fromEntries(Object.entries(member).map(([name, type]) => [wireName(name), onWire(type)])),
          ];
        }
        if (key === 'required' && Array.isArray(member)) return [key, member.map((name) => wireName(String(name)))];
        return [key, onWire(member)];
      }),
  );
}

/** Left out: that an integer is one that JavaScript can hold, and the pattern of a format that has a name. */
function isSaid(key: string, member: unknown, { format }: Record<string, unknown>): boolean {
  if (key === 'pattern' && format !== undefined) return false;
  return !((key === 'minimum' || key === 'maximum') && Math.abs(Number(member)) === Number.MAX_SAFE_INTEGER);
}

function withoutNull(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNull);
  if (!isObject(value)) return value;
  const { anyOf, ...rest } = value;
  if (!Array.isArray(anyOf))
    return Object.fromEntries(Object.entries(value).map(([key, at]) => [key, withoutNull(at)]));
  const left = anyOf.filter((option: unknown) => !isObject(option) || option['type'] !== 'null').map(withoutNull);
  return left.length === 1 ? { ...rest, ...(left[0] as object) } : { ...rest, anyOf: left };
}

function wireName(name: string): string {
  return Object.keys(toWire({ [name]: true }) as object)[0] ?? name;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
