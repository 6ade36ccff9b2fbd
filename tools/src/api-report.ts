// Writes down the public interface of every library, one `api/<entry>.api.md` each, so that a change of it is seen in
// review. `--check` changes nothing and fails when a report is out of date. Fails for what nobody can use well: a member
// without a comment, and a type that the interface names without exporting it. Works on the built declarations.
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Extractor, ExtractorConfig, ExtractorLogLevel } from '@microsoft/api-extractor';

const root = fileURLToPath(new URL('../../', import.meta.url));
const check = process.argv.includes('--check');
/** Those packages alone. */
const named = process.argv.slice(2).filter((argument) => argument !== '--check');
const stale: string[] = [];
const gaps: string[] = [];

for (const name of named.length > 0 ? named : readdirSync(join(root, 'packages'))) {
  const folder = join(root, 'packages', name);
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    exports: Record<string, unknown>;
  };
  for (const entry of Object.keys(manifest.exports).filter((path) => path !== './package.json')) {
    const report = entry === '.' ? 'index' : entry.slice(2);
    if (!existsSync(join(folder, 'dist', `${report}.d.ts`)))
      throw new Error(`${name} is not built: dist/${report}.d.ts`);
    mkdirSync(join(folder, 'api'), { recursive: true });
    if (!writeReport(folder, report)) stale.push(`packages/${name}/api/${report}.api.md`);
    gaps.push(...undocumented(folder, report));
  }
}
if (gaps.length > 0) {
  console.error(`The public interface has gaps:\n  ${gaps.join('\n  ')}`);
  process.exitCode = 1;
}
if (stale.length > 0) {
  console.error(`The public interface changed; run \`pnpm api\` and commit:\n  ${stale.join('\n  ')}`);
  process.exit(1);
}

/** Members that the report marks, as `packages/x/api/index.api.md: Options.signal`. */
function undocumented(folder: string, report: string): readonly string[] {
  const path = join(folder, 'api', `${report}.api.md`);
  const lines = readFileSync(path, 'utf8').split('\n');
  let owner = '';
  return lines.flatMap((line, index) => {
    owner = /^export (?:default )?(?:abstract )?\w+ (\w+)/.exec(line)?.[1] ?? owner;
    if (!line.includes('// (undocumented)')) return [];
    const member = /^\s*(?:readonly )?([\w$[\].]+)/.exec(lines[index + 1] ?? '')?.[1] ?? '';
    return [`${relative(root, path)}: ${member.startsWith('export') ? member : `${owner}.${member}`} has no comment`];
  });
}

/** Whether the report is as it was (always, when it may be written). */
function writeReport(folder: string, report: string): boolean {
  const quiet = { logLevel: ExtractorLogLevel.None, addToApiReportFile: false };
  const config = ExtractorConfig.prepare({
    configObjectFullPath: undefined,
    packageJsonFullPath: join(folder, 'package.json'),
    configObject: {
      projectFolder: folder,
      mainEntryPointFilePath: join(folder, 'dist', `${report}.d.ts`),
      newlineKind: 'lf',
      compiler: {
        overrideTsconfig: {
          compilerOptions: {
            target: 'es2023',
            lib: ['es2023'],
            module: 'nodenext',
            strict: true,
            skipLibCheck: true,
            types: ['node'],
          },
        },
      },
      apiReport: {
        enabled: true,
        reportFileName: report,
        reportFolder: join(folder, 'api'),
        reportTempFolder: join(folder, '.turbo/api'),
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      messages: {
        compilerMessageReporting: { default: { logLevel: ExtractorLogLevel.Error } },
        extractorMessageReporting: { default: quiet },
        tsdocMessageReporting: { default: quiet },
      },
    },
  });
  const result = Extractor.invoke(config, {
    localBuild: !check,
    messageCallback: (message) => {
      if (message.messageId === 'ae-forgotten-export') {
        gaps.push(`packages/${relative(join(root, 'packages'), folder)}: ${message.text}`);
      }
      message.handled = message.logLevel !== ExtractorLogLevel.Error;
    },
  });
  return result.succeeded && (!check || !result.apiReportChanged);
}
