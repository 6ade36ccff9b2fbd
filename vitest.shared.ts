import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineProject } from 'vitest/config';

type ProjectConfig = ReturnType<typeof defineProject>;

const root = fileURLToPath(new URL('.', import.meta.url));

// Tests run on sources. An alias and not the `@sp/source` condition: Vitest would pass the condition on to the
// worker's Node, and code of node_modules loaded there would then resolve to .ts files.
const sources = [
  { find: /^@sp\/(management-api|cli)$/, replacement: `${root}apps/$1/src/index.ts` },
  { find: /^@sp\/([^/]+)\/([a-z-]+)$/, replacement: `${root}packages/$1/src/$2.ts` },
  { find: /^@sp\/([^/]+)$/, replacement: `${root}packages/$1/src/index.ts` },
];

const patienceMs = 180_000;

/** The Vitest project of one package: its name, its `test` folder, and `@sp/*` resolved to sources. */
export function packageTests(name: string, test: Record<string, unknown> = {}): ProjectConfig {
  return defineProject({
    resolve: { alias: sources },
    test: {
      name,
      include: ['test/**/*.test.ts'],
      // A machine that does much else is slow, and not wrong: what never comes is found all the same.
      testTimeout: patienceMs,
      hookTimeout: patienceMs,
      expect: { poll: { timeout: patienceMs / 2 } },
      ...(existsSync('test') ? {} : { passWithNoTests: true }),
      ...test,
    },
  } as ProjectConfig);
}
