import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { loadConfiguration } from '../src/configuration/configuration.ts';
import { describeConfiguration } from '../src/configuration/describe-configuration.ts';
import { listenHostOf } from '../src/configuration/listen-host.ts';

const folder = new URL('../deploy/', import.meta.url);
const read = (name: string): Promise<string> => readFile(new URL(name, folder), 'utf8');

/** A value for each secret, as somebody would set it. */
const secrets: Readonly<Record<string, string>> = {
  DATABASE_URL: 'postgresql://systemprompt:pw@postgres:5432/systemprompt',
  SP_API_VAULT_KEY: randomBytes(32).toString('base64'),
};
const secretOf = (name: string): string => secrets[name] ?? 'a-secret-of-some-length';
const secretNames = new Set(
  describeConfiguration()
    .filter(({ secret }) => secret)
    .map(({ name }) => name),
);

test('fly.toml with the secrets that it names is a whole configuration', async () => {
  const text = await read('fly.toml');
  const env = Object.fromEntries(
    [...text.matchAll(/^ +([A-Z_]+) = "(.*)"$/gm)].map(([, name = '', value = '']) => [name, value]),
  );
  // Secrets are named in the comment at the top, and set nowhere in the file.
  const named = [...(text.split('fly deploy')[0] ?? '').matchAll(/\b(?:SP_API_[A-Z_]+|DATABASE_URL)\b/g)].map(
    ([name]) => name,
  );
  for (const name of named) {
    expect(secretNames, name).toContain(name);
    expect(env).not.toHaveProperty(name);
    env[name] = secretOf(name);
  }
  const { drainSeconds, shutdownSeconds, port } = loadConfiguration({ env, readFile: () => '' });
  expect(text).toContain(`internal_port = ${port}`);
  const patience = Number(/kill_timeout = "(\d+)s"/.exec(text)?.[1]);
  expect(patience).toBeGreaterThan(drainSeconds + shutdownSeconds);
});

test('compose.yaml with its files of secrets is a whole configuration', async () => {
  const text = await read('compose.yaml');
  const api = text.slice(text.indexOf('environment: &environment'), text.indexOf('secrets: &secrets'));
  const filled: Readonly<Record<string, string>> = {
    SP_API_BASE_URL: 'https://api.example.com',
    SP_API_TENANT_DATABASE_HOST: 'db.example.com',
  };
  const env = Object.fromEntries(
    [...api.matchAll(/^ +([A-Z_]+): (.+)$/gm)].map(([, name = '', value = '']) => [
      name,
      value.replace(
        /\$\{([A-Z_]+)(?::\?[^}]*|:-(.*))?\}/g,
        (_, from: string, other?: string) => other ?? filled[from] ?? 'set',
      ),
    ]),
  );
  const declared = new Set([...text.matchAll(/file: \.\/secrets\/(\w+)/g)].map(([, name]) => name));
  const configuration = loadConfiguration({
    env,
    readFile: (path) => {
      const name = path.replace('/run/secrets/', '');
      expect(declared, path).toContain(name);
      const variable =
        Object.keys(env)
          .find((key) => env[key] === path)
          ?.replace(/_FILE$/, '') ?? '';
      return `${secretOf(variable)}\n`;
    },
  });
  // The port that compose publishes leads to the container's address.
  expect(listenHostOf(configuration)).toBe('0.0.0.0');
  const { drainSeconds, shutdownSeconds } = configuration;
  const patience = Number(/stop_grace_period: (\d+)s/.exec(text)?.[1]);
  expect(patience).toBeGreaterThan(drainSeconds + shutdownSeconds);
});

test('compose itself takes the file', async (context) => {
  // The one of old, or today's part of docker.
  const [program = '', ...first] =
    [['docker-compose'], ['docker', 'compose']].find(
      ([name = '', ...rest]) => spawnSync(name, [...rest, 'version']).status === 0,
    ) ?? [];
  if (program === '') context.skip('needs docker compose');
  const variables = [...(await read('compose.yaml')).matchAll(/\$\{([A-Z_]+)/g)].map(([, name = '']) => name);
  const env = { ...process.env, ...Object.fromEntries(variables.map((name) => [name, 'set'])) };
  const file = fileURLToPath(new URL('compose.yaml', folder));
  const { status, stderr } = spawnSync(program, [...first, '-f', file, 'config', '-q'], { env, encoding: 'utf8' });
  expect([status, stderr]).toEqual([0, '']);
});
