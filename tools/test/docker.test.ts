import { execFile } from 'node:child_process';
import { request } from 'node:http';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { loadBaseImageIntoDocker } from './support/docker-base.ts';
import { createTestProject } from './support/project.ts';
import { requirePart } from './support/require-part.ts';

const docker = async (...args: string[]): Promise<string> => (await promisify(execFile)('docker', args)).stdout.trim();

test('docker builds and pushes the image, and the machine is a container', async (context) => {
  requirePart('docker', context);
  await using base = await loadBaseImageIntoDocker();
  await using project = await createTestProject();
  const run = async (...args: string[]): Promise<Record<string, unknown>> => {
    const finished = await project.run([...args, '--json'], { BROWSER: project.sandboxBrowser });
    expect(finished.exitCode, `${args.join(' ')}\n${finished.stderr}\n${finished.stdout}`).toBe(0);
    return finished.json() as Record<string, unknown>;
  };

  const { url } = (await run('cloud', 'local', 'up', '--port', '0', '--machines', 'docker')) as { url: string };
  await run('cloud', 'auth', 'login', '--environment', url);
  await run('cloud', 'init');
  const created = await run('cloud', 'tenant', 'create', '--name', 'boxed', '--plan', 'starter', '--region', 'iad');
  // Other tests may run containers at the same time; these are ours.
  const ours = `label=io.systemprompt.app=sp-${(created as { tenant: { id: string } }).tenant.id.replaceAll('-', '').slice(0, 12)}`;
  const deployed = await run('cloud', 'deploy', '--builder', 'docker', '--base', base.reference, '--yes');
  expect(deployed).toMatchObject({ status: 'running', digest: expect.stringMatching(/^sha256:/) });

  try {
    const id = (await docker('ps', '-q', '--filter', ours)).split('\n')[0] ?? '';
    expect(await docker('inspect', '--format', '{{.Config.Image}}', id)).toContain(String(deployed['digest']));
    // What a user of the machine's host can see of a container must hold no secret.
    expect(await docker('inspect', '--format', '{{json .Args}}', id)).not.toContain('postgres');
    const page = await fetchPage(url, new URL(String(deployed['app_url'])).host);
    expect(page).toContain('Hello');
  } finally {
    const left = await docker('ps', '-aq', '--filter', ours);
    if (left !== '') await docker('rm', '-f', ...left.split('\n'));
  }
});

/** `*.localhost` resolves in browsers, but not in every resolver, so the name goes into the Host header. */
function fetchPage(url: string, host: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { headers: { host } }, (response) => {
      let text = '';
      response.on('data', (chunk) => (text += chunk));
      response.on('end', () =>
        response.statusCode === 200 ? resolve(text) : reject(new Error(`${response.statusCode}: ${text}`)),
      );
    });
    outgoing.on('error', reject);
    outgoing.end();
  });
}
