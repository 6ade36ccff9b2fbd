import type { JsonSchema } from './json-schema.ts';

/** One member of a body, for people. */
export interface Member {
  /** With the members that it is in: `plan.memory_mb`, `data[].id`. */
  readonly path: string;
  readonly type: string;
  readonly required: boolean;
  /** What holds beyond the type; empty where nothing does. */
  readonly rule: string;
}

/** The members of a schema, in its order; of alternatives each with those that it has. */
export function listMembers(schema: JsonSchema): Member[] {
  return membersOf(schema, '');
}

function membersOf(schema: JsonSchema, prefix: string): Member[] {
  const {
    properties,
    required = [],
    items,
    oneOf,
  } = schema as {
    properties?: Readonly<Record<string, JsonSchema>>;
    required?: readonly string[];
    items?: JsonSchema;
    oneOf?: readonly JsonSchema[];
  };
  if (oneOf !== undefined) return oneOf.flatMap((option) => membersOf(option, prefix));
  if (items !== undefined) return membersOf(items, `${prefix}[]`);
  return Object.entries(properties ?? {}).flatMap(([name, member]) => {
    const path = prefix === '' ? name : `${prefix}.${name}`;
    return [
      { path, type: typeOf(member), required: required.includes(name), rule: ruleOf(member) },
      ...membersOf(member, path),
    ];
  });
}

/** The type of a schema in a word or two. */
export function typeOf(schema: JsonSchema): string {
  const { type, items, format } = schema as { type?: string; items?: JsonSchema; format?: string };
  if (type === 'array') return items === undefined ? 'list' : `list of ${typeOf(items)}`;
  if (type === 'string' && format !== undefined) return format;
  return type ?? 'any';
}

/** What a value must be beyond its type. */
export function ruleOf(schema: JsonSchema): string {
  const { minLength, maxLength, minimum, maximum, pattern, format } = schema as Record<
    string,
    string | number | undefined
  >;
  const { enum: values, const: constant, default: standard } = schema;
  return [
    Array.isArray(values) ? `one of ${values.join(', ')}` : '',
    constant === undefined ? '' : `is ${JSON.stringify(constant)}`,
    range(minLength, maxLength, 'characters'),
    range(minimum, maximum, ''),
    pattern === undefined || format !== undefined ? '' : String(pattern),
    standard === undefined ? '' : `default ${JSON.stringify(standard)}`,
  ]
    .filter((rule) => rule !== '')
    .join('; ');
}

function range(from: string | number | undefined, to: string | number | undefined, unit: string): string {
  if (from === undefined && to === undefined) return '';
  if (to === undefined) return `${from} or more ${unit}`.trim();
  return `${from === undefined ? 'at most' : `${from} to`} ${to} ${unit}`.trim();
}
