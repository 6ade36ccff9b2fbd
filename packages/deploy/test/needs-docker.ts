import { execFileSync } from 'node:child_process';
import type { TestContext } from 'vitest';

/** Skips the test without an engine; where `SP_REQUIRE` names docker, that is a failure. */
export function needsDocker(context: TestContext): void {
  try {
    execFileSync('docker', ['info'], { stdio: 'ignore', timeout: 60_000 });
  } catch {
    if ((process.env['SP_REQUIRE'] ?? '').split(',').includes('docker')) throw new Error('docker is required here');
    context.skip('needs docker');
  }
}

/** A docker client on the PATH that builds with BuildKit; skips the test when none does. */
export function needsBuildKit(context: TestContext): string {
  needsDocker(context);
  const found = execFileSync('which', ['-a', 'docker'], { encoding: 'utf8' }).trim().split('\n');
  const binary = found.find((candidate) => {
    try {
      const env = { ...process.env, DOCKER_BUILDKIT: '1' };
      execFileSync(candidate, ['build', '--quiet', '-'], {
        input: 'FROM scratch\n',
        env,
        stdio: 'pipe',
        timeout: 60_000,
      });
      return true;
    } catch {
      return false;
    }
  });
  if (binary === undefined) context.skip('needs a docker client with BuildKit');
  return binary;
}
