import { readFile } from 'node:fs/promises';
import type { Options } from 'tsup';
import ts from 'typescript';
// @boundaries-ignore the settings that all packages share
import { libraryBuild } from '../../tsup.shared.ts';

/** What of an endpoint's declaration only servers and references read: the client is smaller without it. */
const serverOnly: ReadonlySet<string> = new Set(['summary', 'aliases', 'query', 'request', 'kind', 'empty']);

/** Leaves those members out of every `endpoint({…})`; what nothing else refers to then goes with them. */
const forClients: NonNullable<Options['esbuildPlugins']>[number] = {
  name: 'contract-for-clients',
  setup: (build) => {
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
  const isNamedOnce = ({ name }: ts.VariableDeclaration): boolean =>
    text.split(new RegExp(`\\b${name.getText()}\\b`)).length === 2;
  const unused = source.statements.find(
    (statement) =>
      ts.isVariableStatement(statement) &&
      statement.modifiers === undefined &&
      statement.declarationList.declarations.every(isNamedOnce),
  );
  return unused === undefined ? text : withoutUnused(path, text.slice(0, unused.pos) + text.slice(unused.end));
}

// Two builds in one folder: the script empties it before them.
export default [
  libraryBuild(['src/index.ts'], { clean: false, esbuildPlugins: [forClients] }),
  libraryBuild(['src/contract.ts'], { clean: false }),
];
