import { createHash } from 'node:crypto';
import { type FlyContext, type FlyServer, findApp, isoDate } from './fly-context.ts';
import { secretsRequest } from './resource-schemas.ts';
import { route } from './route.ts';
import type { FakeApp } from './state.ts';

const path = '/v1/apps/:app/secrets';

export function mountSecrets(server: FlyServer, context: FlyContext): void {
  route(server, context, {
    method: 'get',
    path,
    action: 'secret-list',
    answer: ({ org, app: name }) => ({ status: 200, body: toWire(findApp(context, { name, org })) }),
  });

  route(server, context, {
    method: 'post',
    path,
    action: 'secret-set',
    body: secretsRequest,
    answer: ({ org, app: name, body: { values } }) => {
      const app = findApp(context, { name, org });
      const now = isoDate(context.now());
      for (const [key, value] of Object.entries(values)) {
        if (value === null) app.secrets.delete(key);
        else app.secrets.set(key, { value, createdAt: app.secrets.get(key)?.createdAt ?? now, updatedAt: now });
      }
      app.secretsVersion += 1;
      return { status: 200, body: toWire(app) };
    },
  });
}

function toWire(app: FakeApp): unknown {
  const secrets = Array.from(app.secrets, ([name, { value, createdAt, updatedAt }]) => ({
    name,
    digest: createHash('sha256').update(app.id).update(value).digest('hex').slice(0, 16),
    created_at: createdAt,
    updated_at: updatedAt,
  }));
  return { secrets, version: app.secretsVersion };
}
