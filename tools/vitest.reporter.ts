import type { Reporter, TestModule } from 'vitest/node';

/**
 * Closes a run with what was left out, by name and reason, and the line `N passed, N failed, N skipped`.
 * A module that could not be loaded and every unhandled error count as failures.
 */
export class ClosingSummary implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const counts = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
    const skipped: string[] = [];
    for (const module of modules) {
      const tests = [...module.children.allTests()];
      if (
        module.errors().length > 0 ||
        (module.state() === 'failed' && tests.every((test) => test.result().state !== 'failed'))
      ) {
        counts.failed += 1;
      }
      for (const test of tests) {
        const result = test.result();
        if (result.state === 'pending') continue;
        counts[result.state] += 1;
        if (result.state !== 'skipped') continue;
        skipped.push(`${module.project.name} > ${test.fullName}${result.note === undefined ? '' : `: ${result.note}`}`);
      }
    }
    const lines = skipped.length === 0 ? [] : ['', 'Skipped:', ...skipped.map((name) => `  ${name}`)];
    process.stdout.write(
      `${[...lines, '', `${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`].join('\n')}\n`,
    );
  }
}
