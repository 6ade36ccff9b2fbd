import { afterAll, beforeAll, expect, test } from 'vitest';
import { baseUrl, type Edge, failure, location, startEdge } from './edge.ts';
import { statusWith, type Tokens } from './login-tokens.ts';

let edge: Edge;
beforeAll(async () => {
  edge = await startEdge();
});
afterAll(() => edge.stop());

interface Device {
  readonly device_code: string;
  readonly user_code: string;
  readonly verification_uri: string;
  readonly verification_uri_complete: string;
}

async function begin(): Promise<Device> {
  const json = { scope: 'offline_access' };
  const headers = { 'user-agent': 'systemprompt-cli/1.0 <b>' };
  return (await (await edge.call('/api/v1/auth/device', { method: 'POST', json, headers })).json()) as Device;
}

function poll(device: Device): Promise<Response> {
  const json = { grant_type: 'urn:ietf:params:oauth:grant-type:device_code', device_code: device.device_code };
  return edge.call('/api/v1/auth/token', { method: 'POST', json });
}

async function pollCode(device: Device): Promise<string> {
  return (await failure(await poll(device))).code;
}

/** Polls as if the interval had passed. */
async function patientPoll(device: Device): Promise<Response> {
  await edge.store.pool.query('update device_logins set polled_at = null');
  return poll(device);
}

/** Types a code and logs in: the page that the browser shows then. */
async function typeCode(code: string, email = 'ada@example.com'): Promise<Response> {
  const typed = await edge.call('/device', { method: 'POST', form: { user_code: code, provider: 'github' } });
  const login = new URL(location(typed)).searchParams;
  const form = { ...Object.fromEntries(login), action: 'continue', email, name: 'Ada' };
  return edge.call(location(await edge.call('/sandbox/identity', { method: 'POST', form })));
}

function fieldOf(page: string, name: string): string {
  return new RegExp(`name="${name}" value="([^"]*)"`).exec(page)?.[1] ?? `no field ${name}`;
}

async function decide(page: Response, action: 'allow' | 'deny'): Promise<Response> {
  const text = await page.text();
  const form = { ticket: fieldOf(text, 'ticket'), user_code: fieldOf(text, 'user_code'), action };
  return edge.call('/device/confirm', { method: 'POST', form });
}

test('a device login is begun, allowed in a browser, and gives its tokens once', async () => {
  const device = await begin();
  expect(device).toMatchObject({ verification_uri: `${baseUrl}/device`, expires_in: 900, interval: 5 });
  expect(device.user_code).toMatch(/^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/);
  expect(await pollCode(device)).toBe('authorization_pending');

  const shown = await (await edge.call(device.verification_uri_complete)).text();
  expect(shown).toContain(`value="${device.user_code}"`);
  const confirm = await typeCode(device.user_code.toLowerCase().replace('-', ' '));
  const text = await confirm.clone().text();
  expect(text).toContain('ada@example.com');
  expect(text).toContain('systemprompt-cli/1.0 &lt;b&gt;');
  expect((await patientPoll(device)).status).toBe(400);
  expect((await decide(confirm, 'allow')).status).toBe(200);

  const answer = await patientPoll(device);
  expect(answer.status).toBe(200);
  const tokens = (await answer.json()) as Tokens;
  expect(tokens.expires_in).toBe(3600);
  expect(tokens.refresh_token).toMatch(/^sprt_/);
  expect(await statusWith(edge, tokens.access_token)).toBe(200);
  expect(await pollCode(device)).toBe('invalid_grant');
});

test('a login that is denied says so, and cannot be allowed afterwards', async () => {
  const device = await begin();
  const confirm = await typeCode(device.user_code);
  const again = confirm.clone();
  expect((await decide(confirm, 'deny')).status).toBe(200);
  expect((await decide(again, 'allow')).status).toBe(400);
  expect(await pollCode(device)).toBe('access_denied');
});

test('polling too often is told, and makes the pause longer', async () => {
  const device = await begin();
  expect(await pollCode(device)).toBe('authorization_pending');
  expect(await pollCode(device)).toBe('slow_down');
  const { rows } = await edge.store.pool.query('select interval from device_logins where user_code = $1', [
    device.user_code,
  ]);
  expect(rows).toEqual([{ interval: 10 }]);
});

test('a login that nobody allowed in time is over', async () => {
  const device = await begin();
  await edge.store.pool.query("update device_logins set expires_at = now() - interval '1 second'");
  expect(await pollCode(device)).toBe('expired_token');
  const page = await typeCode(device.user_code);
  expect(page.status).toBe(400);
});

test('a device code that nobody knows is refused', async () => {
  const device = { ...(await begin()), device_code: 'made-up' };
  expect(await pollCode(device)).toBe('invalid_grant');
});

test('a wrong code is only told after the login, may be typed again without one, and not for ever', async () => {
  const email = 'guess@example.com';
  const page = await typeCode('BBBB-BBBB', email);
  expect(page.status).toBe(400);
  const ticket = fieldOf(await page.text(), 'ticket');
  const again = (code: string) => edge.call('/device', { method: 'POST', form: { ticket, user_code: code } });
  const device = await begin();
  expect((await again(device.user_code)).status).toBe(200);

  const statuses: number[] = [];
  for (let attempt = 0; attempt < 11; attempt += 1) statuses.push((await again('CCCC-CCCC')).status);
  // The first one counts, too: a right code in between, which may be one's own, makes up for nothing.
  expect(statuses).toEqual([...Array.from({ length: 9 }, () => 400), 429, 429]);
  // The right code does not help any more, and neither does another login.
  expect((await again(device.user_code)).status).toBe(429);
  expect((await typeCode(device.user_code, email)).status).toBe(429);
  await edge.store.pool.query("update device_attempts set since = now() - interval '16 minutes'");
  expect((await again(device.user_code)).status).toBe(200);
});

test('something that is no code never begins a login', async () => {
  for (const code of ['', 'AEIO-UAEI', 'BCDF', '"><b>x</b>']) {
    const page = await edge.call('/device', { method: 'POST', form: { user_code: code, provider: 'github' } });
    expect(page.status).toBe(400);
    expect(await page.text()).not.toContain('<b>x');
  }
  const page = await edge.call('/device', { method: 'POST', form: { user_code: 'BCDF-GHJK', provider: 'myspace' } });
  expect(page.status).toBe(400);
});

test('nobody can press the button for somebody else', async () => {
  const device = await begin();
  const text = await (await typeCode(device.user_code)).text();
  const ticket = fieldOf(text, 'ticket');
  const forged = ticket.replace(/^[^.]+/, '00000000-0000-4000-8000-000000000000');
  const old = ticket.replace(/\.\d+\./, '.1.');
  for (const wrong of ['', forged, old, `${ticket}x`]) {
    const form = { ticket: wrong, user_code: device.user_code, action: 'allow' };
    expect((await edge.call('/device/confirm', { method: 'POST', form })).status).toBe(400);
  }
  expect((await failure(await patientPoll(device))).code).toBe('authorization_pending');
});

test('where a login is allowed no code can be guessed', async () => {
  const email = 'mallory@example.com';
  const own = await begin();
  const victim = await begin();
  const confirm = fieldOf(await (await typeCode(own.user_code, email)).text(), 'ticket');
  const general = fieldOf(await (await typeCode('BBBB-BBBB', email)).text(), 'ticket');
  for (const ticket of [confirm, general]) {
    for (const action of ['allow', 'deny']) {
      const form = { ticket, user_code: victim.user_code, action };
      expect((await edge.call('/device/confirm', { method: 'POST', form })).status).toBe(400);
    }
  }
  expect((await failure(await patientPoll(victim))).code).toBe('authorization_pending');
  const { rows } = await edge.store.pool.query<{ count: number }>(
    'select count from device_attempts a join users u on u.id = a.user_id where u.email = $1',
    [email],
  );
  expect(rows).toEqual([{ count: 5 }]);
  const form = { ticket: confirm, user_code: own.user_code, action: 'allow' };
  expect((await edge.call('/device/confirm', { method: 'POST', form })).status).toBe(200);
});

test('a login at the provider that is cancelled says so on the page', async () => {
  const device = await begin();
  const typed = await edge.call('/device', {
    method: 'POST',
    form: { user_code: device.user_code, provider: 'google' },
  });
  const login = new URL(location(typed)).searchParams;
  const form = { ...Object.fromEntries(login), action: 'cancel' };
  const back = await edge.call(location(await edge.call('/sandbox/identity', { method: 'POST', form })));
  expect(back.status).toBe(400);
  expect(await back.text()).toContain('The login was cancelled.');
});

test('neither code is in the log, and the device code is not in the database', async () => {
  const device = await begin();
  await poll(device);
  expect(edge.logged.join('')).not.toContain(device.device_code);
  const { rows } = await edge.store.pool.query('select * from device_logins');
  expect(JSON.stringify(rows)).not.toContain(device.device_code);
});
