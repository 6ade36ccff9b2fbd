import { execFileSync } from 'node:child_process';
import type { TestContext } from 'vitest';

/** Skips the test without an engine; where `SP_REQUIRE` names docker, that is a failure. */
export function needsDocker(context: TestContext): void {
  try {
    execFileSync('docker', ['info'], { stdio: 'ignore', timeout: 10_000 });
  } catch {
    if ((process.env['SP_REQUIRE'] ?? '').split(',').includes('docker')) throw new Error('docker is required here');
    context.skip('needs docker');
  }
}
