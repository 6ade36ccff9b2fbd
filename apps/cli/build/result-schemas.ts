// JSON Schemas of what commands answer, made of their TypeScript types: the one place where a result is described.
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

/** A JSON Schema (2020-12), of the few keywords that types come to. */
export interface JsonSchema {
  readonly $schema?: string;
  readonly title?: string;
  readonly description?: string;
  readonly type?: string;
  readonly format?: string;
  readonly enum?: readonly (string | number | boolean | null)[];
  readonly anyOf?: readonly JsonSchema[];
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
}

const root = fileURLToPath(new URL('..', import.meta.url));

/** The schemas by the name of their file, without `.json`: one per command, `error`, and `json-lines`. */
export function makeResultSchemas(): Readonly<Record<string, JsonSchema>> {
  const config = ts.readConfigFile(`${root}tsconfig.json`, ts.sys.readFile).config as object;
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  const files = readdirSync(`${root}src/commands`, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => file.replaceAll('\\', '/'))
    .toSorted();
  const shared = `${root}src/output/json-documents.ts`;
  const program = ts.createProgram([shared, ...files.map((file) => `${root}src/commands/${file}`)], options);
  const checker = program.getTypeChecker();
  const convert = createConverter(checker);
  const exportsOf = (path: string): readonly ts.Symbol[] => {
    const source = program.getSourceFile(path);
    const symbol = source && checker.getSymbolAtLocation(source);
    if (symbol === undefined) throw new Error(`${path} exports nothing`);
    return checker.getExportsOfModule(symbol);
  };
  const head = (title: string): JsonSchema => ({ $schema: 'https://json-schema.org/draft/2020-12/schema', title });
  const commands = files.map((file) => {
    const words = file.replace(/\.ts$/, '').split('/');
    const command = exportsOf(`${root}src/commands/${file}`).find(({ name }) => name === 'default');
    if (command === undefined) throw new Error(`${file} has no default export`);
    const instance = checker.getDeclaredTypeOfSymbol(command);
    const run = checker.getPropertyOfType(instance, 'run');
    const [signature] = run === undefined ? [] : checker.getTypeOfSymbol(run).getCallSignatures();
    const result = signature && checker.getAwaitedType(signature.getReturnType());
    if (result === undefined) throw new Error(`${file} has no run()`);
    return [words.join('-'), { ...head(`systemprompt ${words.join(' ')} --json`), ...convert(result) }] as const;
  });
  const documents = exportsOf(shared).flatMap((symbol) => {
    const [, words] = /^(.+)Document$/.exec(symbol.name) ?? [];
    if (words === undefined) return [];
    const name = words.replaceAll(/(?!^)[A-Z]/g, '-$&').toLowerCase();
    const type = checker.getDeclaredTypeOfSymbol(symbol);
    const description = describe(symbol, checker);
    return [[name, { ...head(`systemprompt, ${name}`), ...description, ...convert(type) }] as const];
  });
  return Object.fromEntries([...commands, ...documents]);
}

function createConverter(checker: ts.TypeChecker): (type: ts.Type) => JsonSchema {
  const open = new Set<ts.Type>();
  const convert = (type: ts.Type): JsonSchema => {
    const { flags } = type;
    if (flags & (ts.TypeFlags.Any | ts.TypeFlags.Unknown)) return {};
    if (flags & ts.TypeFlags.StringLiteral) return { enum: [(type as ts.StringLiteralType).value] };
    if (flags & ts.TypeFlags.NumberLiteral) return { enum: [(type as ts.NumberLiteralType).value] };
    if (flags & ts.TypeFlags.BooleanLiteral) return { enum: [checker.typeToString(type) === 'true'] };
    if (flags & ts.TypeFlags.Null) return { enum: [null] };
    if (flags & ts.TypeFlags.StringLike) return { type: 'string' };
    if (flags & ts.TypeFlags.NumberLike) return { type: 'number' };
    if (flags & ts.TypeFlags.BooleanLike) return { type: 'boolean' };
    if (type.isUnion()) return convertUnion(type);
    // `string & {}`, which keeps the known members of an open list in sight.
    if (type.isIntersection() && type.types.some((part) => part.flags & ts.TypeFlags.String)) return { type: 'string' };
    if (open.has(type)) return {};
    open.add(type);
    try {
      return convertObject(type);
    } finally {
      open.delete(type);
    }
  };

  const convertUnion = (type: ts.UnionType): JsonSchema => {
    const parts = type.types.filter((part) => !(part.flags & ts.TypeFlags.Undefined)).map(convert);
    const values = parts.flatMap((part) => part.enum ?? []);
    const others = parts.filter((part) => part.enum === undefined);
    const both = values.includes(true) && values.includes(false);
    // An open list of strings is any string.
    const open = others.some((part) => part.type === 'string' && part.format === undefined);
    const rest = values.filter(
      (value) => !(both && typeof value === 'boolean') && !(open && typeof value === 'string'),
    );
    const all = [...(both ? [{ type: 'boolean' }] : []), ...(rest.length > 0 ? [{ enum: rest }] : []), ...others];
    const [first = {}, ...more] = dedupe(all);
    return more.length === 0 ? first : { anyOf: [first, ...more] };
  };

  const convertObject = (type: ts.Type): JsonSchema => {
    if (type.symbol?.name === 'Date') return { type: 'string', format: 'date-time' };
    // Its names, see toSnakeCase.
    if (/^(?:Readonly)?Map$/.test(type.symbol?.name ?? '')) return { type: 'array', items: { type: 'string' } };
    if (checker.isArrayType(type)) {
      const [element] = checker.getTypeArguments(type as ts.TypeReference);
      return { type: 'array', ...(element === undefined ? {} : { items: convert(element) }) };
    }
    const properties: Record<string, JsonSchema> = {};
    const required: string[] = [];
    for (const property of checker.getPropertiesOfType(type)) {
      const of = checker.getTypeOfSymbol(property);
      const name = property.name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
      properties[name] = { ...describe(property, checker), ...convert(of) };
      const parts = of.isUnion() ? of.types : [of];
      const optional = Boolean(property.flags & ts.SymbolFlags.Optional);
      if (!optional && !parts.some((part) => part.flags & ts.TypeFlags.Undefined)) required.push(name);
    }
    const index = checker.getIndexTypeOfType(type, ts.IndexKind.String);
    const additionalProperties = index === undefined ? false : convert(index);
    return { type: 'object', properties, required, additionalProperties };
  };
  return convert;
}

function describe(symbol: ts.Symbol, checker: ts.TypeChecker): { description?: string } {
  const text = ts
    .displayPartsToString(symbol.getDocumentationComment(checker))
    .replaceAll(/\{@link (\w+)[^}]*\}/g, '$1')
    .replaceAll(/\s+/g, ' ');
  return text === '' ? {} : { description: text };
}

function dedupe(schemas: readonly JsonSchema[]): readonly JsonSchema[] {
  return [...new Map(schemas.map((schema) => [JSON.stringify(schema), schema])).values()];
}
