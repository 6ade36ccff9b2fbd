import { appUrl, type FlyContext, type FlyScope } from './fly-context.ts';
import { mayBeDone } from './fly-failure.ts';
import { secretsSchema } from './fly-wire.ts';

/** Fly.io sets these itself. */
const ownByFly = ['FLY_APP_NAME', 'FLY_MACHINE_ID'];

/**
 * Makes an environment the app's secrets, and nothing else: they are encrypted at Fly.io and no answer has them, while a
 * machine's configuration can be read by everybody who may list machines. Machines get them when they start. Returns the
 * version that the next machine has to wait for.
 */
export async function setSecrets(
  context: FlyContext,
  scope: FlyScope & { readonly env: Readonly<Record<string, string>> },
): Promise<number | undefined> {
  const { appName, releaseId, env, signal } = scope;
  const url = `${appUrl(context, appName)}/secrets`;
  const facts = { appName, releaseId, url, answer: secretsSchema, signal } as const;
  const before = await context.api.call({ ...facts, action: 'secret-list', method: 'GET', missing: 'soon' });
  const gone = (before.secrets ?? []).map(({ name }) => name).filter((name) => !Object.hasOwn(env, name));
  const values: Record<string, string | null> = Object.fromEntries(gone.map((name) => [name, null]));
  for (const [name, value] of Object.entries(env)) if (!ownByFly.includes(name)) values[name] = value;
  // Setting them again changes nothing but the version, so that what may have been done is done again.
  for (let attempt = 1; ; attempt += 1) {
    try {
      const after = await context.api.call({ ...facts, action: 'secret-set', method: 'POST', body: { values } });
      return after.version ?? undefined;
    } catch (error) {
      if (!mayBeDone(error) || attempt === 3) throw error;
    }
  }
}
