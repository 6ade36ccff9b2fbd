import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { withPrivateFolder, writeDockerEnvironment, writeDockerLogin } from '../src/machines/docker-files.ts';

test('an environment reaches the docker client without a value in its arguments', async () => {
  const long = 'x'.repeat(100_000);
  const folder = await withPrivateFolder(async (directory) => {
    const values = { PLAIN: 'a "b" $c = #d ', EMPTY: '', DOCKER_HOST: 'tcp://elsewhere', PEM: 'one\ntwo', LONG: long };
    const { args, env } = await writeDockerEnvironment(directory, values);
    const file = join(directory, 'environment');
    expect(args).toEqual(['--env-file', file, '--env', 'PEM', '--env', 'LONG']);
    expect(env).toEqual({ PEM: 'one\ntwo', LONG: long });
    expect(await readFile(file, 'utf8')).toBe('PLAIN=a "b" $c = #d \nEMPTY=\nDOCKER_HOST=tcp://elsewhere\n');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await stat(directory)).mode & 0o777).toBe(0o700);
    return directory;
  });
  await expect(readdir(folder)).rejects.toMatchObject({ code: 'ENOENT' });
});

test.for(['DOCKER_HOST', 'PATH', 'LD_PRELOAD', 'https_proxy', 'GODEBUG'])(
  '%s with a line break would change the client itself and is refused without its value',
  async (name) => {
    const attempt = withPrivateFolder((directory) => writeDockerEnvironment(directory, { [name]: 'planted\nvalue' }));
    await expect(attempt).rejects.toMatchObject({ code: 'SP_MACHINE_SPEC', message: expect.stringContaining(name) });
    await expect(attempt).rejects.not.toMatchObject({ message: expect.stringContaining('planted') });
  },
);

test.for(['', 'A=B', 'two words', 'new\nline', '1st'])('%j is not the name of a variable', async (name) => {
  const attempt = withPrivateFolder((directory) => writeDockerEnvironment(directory, { [name]: 'x' }));
  await expect(attempt).rejects.toMatchObject({ code: 'SP_MACHINE_SPEC' });
});

test('a login is a file that only this user reads', async () => {
  await withPrivateFolder(async (directory) => {
    await writeDockerLogin(directory, { registry: '127.0.0.1:1', username: 'u', token: 't' });
    const file = join(directory, 'config.json');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({ auths: { '127.0.0.1:1': { auth: btoa('u:t') } } });
  });
});
