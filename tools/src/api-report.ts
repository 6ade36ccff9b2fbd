// Writes down the public interface of every library, one `api/<entry>.api.md` each, so that a change of it is seen in
// review. `--check` changes nothing and fails when a report is out of date. Works on the built declarations.
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Extractor, ExtractorConfig, ExtractorLogLevel } from '@microsoft/api-extractor';

const root = fileURLToPath(new URL('../../', import.meta.url));
const check = process.argv.includes('--check');
const stale: string[] = [];

for (const name of readdirSync(join(root, 'packages'))) {
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
  }
}
if (stale.length > 0) {
  console.error(`The public interface changed; run \`pnpm api\` and commit:\n  ${stale.join('\n  ')}`);
  process.exit(1);
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
      message.handled = message.logLevel !== ExtractorLogLevel.Error;
    },
  });
  return result.succeeded && (!check || !result.apiReportChanged);
}
