import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Options } from 'tsup';

type Plugin = NonNullable<Options['esbuildPlugins']>[number];

/**
 * Writes the licenses of everything that a build takes out of `node_modules` into its own files: most of them may be passed
 * on only together with their text. One plugin may be in several builds of a package; the file is of all of them.
 * @throws {Error} (the build fails) when a package says nothing of its license
 */
export function thirdPartyNotices(file = 'dist/THIRD-PARTY-NOTICES.txt'): Plugin {
  const folders = new Set<string>();
  return {
    name: 'third-party-notices',
    setup: (build) => {
      build.initialOptions.metafile = true;
      build.onEnd(({ metafile }) => {
        for (const { inputs } of Object.values(metafile?.outputs ?? {})) {
          for (const [path, { bytesInOutput }] of Object.entries(inputs)) {
            const folder = /^(?:[\w-]+:)?(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1];
            if (bytesInOutput > 0 && folder !== undefined) folders.add(resolve(folder));
          }
        }
        if (folders.size === 0) return;
        const notices = [...folders].map(noticeOf).sort((a, b) => (a.name < b.name ? -1 : 1));
        const texts = notices.map(({ name, license, text }) => `${name} (${license})\n\n${text}`);
        const head = 'This package has code of the following packages in its files.';
        // The builds of a package run beside each other, and one may not have written anything yet.
        mkdirSync(dirname(file), { recursive: true });
        writeFileSync(file, [head, ...texts].join(`\n\n${'-'.repeat(80)}\n\n`));
      });
    },
  };
}

function noticeOf(folder: string): { readonly name: string; readonly license: string; readonly text: string } {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    readonly name: string;
    readonly version: string;
    readonly license?: string;
  };
  if (license === undefined) throw new Error(`${name} does not say what its license is`);
  const file = readdirSync(folder).find((entry) => /^(un)?licen[cs]e([.-]|$)/i.test(entry));
  const text = file === undefined ? '(without a license text)' : readFileSync(join(folder, file), 'utf8').trim();
  return { name: `${name} ${version}`, license, text };
}
