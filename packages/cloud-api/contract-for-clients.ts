import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Options } from 'tsup';
import ts from 'typescript';

/** What of an endpoint's declaration only servers and references read: the client is smaller without it. */
const serverOnly: ReadonlySet<string> = new Set(['summary', 'aliases', 'query', 'request', 'kind', 'empty']);

/**
 * Makes of the contract what a client needs: leaves those members out of every `endpoint({…})`, and what nothing else
 * refers to with them, and has answers read by `answer-reader.ts` in place of zod.
 */
export const contractForClients: NonNullable<Options['esbuildPlugins']>[number] = {
  name: 'contract-for-clients',
  setup: (build) => {
    // What the reader does not have must not become `undefined` in a program.
    build.initialOptions.logOverride = { 'import-is-undefined': 'error' };
    build.onResolve({ filter: /^zod\/mini$/ }, () => ({
      path: fileURLToPath(new URL('src/answer-reader.ts', import.meta.url)),
      sideEffects: false,
    }));
    build.onLoad({ filter: /[\\/]src[\\/]contract[\\/][\w-]+\.ts$/ }, async ({ path }) => ({
      contents: withoutUnused(path, withoutMembers(path, await readFile(path, 'utf8')))
        // Whether a number is whole and an address well written is the server's to check.
        .replaceAll('z.int()', 'z.number()')
        .replaceAll('z.url()', 'z.string()')
        // Making a schema changes nothing: those that no other file refers to may go.
        .replace(/(?<![\w.])(?=(?:z\.(?:(?:iso|coerce)\.)?\w+|maybe|open)[(<])/g, '/* @__PURE__ */ '),
      loader: 'ts',
    }));
  },
};

function withoutMembers(path: string, text: string): string {
  const cuts: (readonly [start: number, end: number])[] = [];
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.ES2023, true);
  const visit = (node: ts.Node): void => {
    const [argument] = ts.isCallExpression(node) && node.expression.getText() === 'endpoint' ? node.arguments : [];
    if (argument !== undefined && ts.isObjectLiteralExpression(argument)) {
      for (const { name, pos, end } of argument.properties) {
        // With the comma behind it.
        if (name !== undefined && serverOnly.has(name.getText())) cuts.push([pos, text[end] === ',' ? end + 1 : end]);
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return cuts.reduceRight((rest, [start, end]) => rest.slice(0, start) + rest.slice(end), text);
}

/** Leaves out constants of the file that nothing in it names any more. */
function withoutUnused(path: string, text: string): string {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.ES2023, true);
  const uses = new Map<string, number>();
  const count = (node: ts.Node): void => {
    if (ts.isInterfaceDeclaration(node) || ts.isTypeNode(node)) return;
    if (ts.isIdentifier(node)) uses.set(node.text, (uses.get(node.text) ?? 0) + 1);
    ts.forEachChild(node, count);
  };
  count(source);
  const unused = source.statements.find(
    (statement) =>
      ts.isVariableStatement(statement) &&
      statement.modifiers === undefined &&
      // Its own name is the one use.
      statement.declarationList.declarations.every(({ name }) => uses.get(name.getText()) === 1),
  );
  return unused === undefined ? text : withoutUnused(path, text.slice(0, unused.pos) + text.slice(unused.end));
}
