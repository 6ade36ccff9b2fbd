import { Readable } from 'node:stream';
import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { type DeviceFlowOptions, type DevicePollResult, readTokenFromStream, runDeviceFlow } from '../src/login.ts';

/** A device login whose clock moves only by waiting, and whose server answers these in turn. */
function deviceLogin(answers: readonly DevicePollResult[], changes: Partial<DeviceFlowOptions> = {}) {
  const waited: number[] = [];
  const shown: unknown[] = [];
  let time = 0;
  let polls = 0;
  const options: DeviceFlowOptions = {
    start: async () => ({
      deviceCode: 'the-device-code',
      userCode: 'BCDF-GHJK',
      verificationUri: 'https://api.example/device',
      verificationUriComplete: 'https://api.example/device?user_code=BCDF-GHJK',
      expiresIn: 900,
      interval: 5,
    }),
    poll: async ({ deviceCode }) => {
      expect(deviceCode).toBe('the-device-code');
      return answers[polls++] ?? 'authorization_pending';
    },
    onCode: (prompt) => void shown.push(prompt),
    wait: async (milliseconds) => {
      waited.push(milliseconds);
      time += milliseconds;
    },
    now: () => time,
    ...changes,
  };
  return { options, waited, shown };
}

const token = { accessToken: 'the-token', refreshToken: 'the-refresh', expiresIn: 3600 };

test('the code is shown, and the token comes when somebody has allowed it', async () => {
  const login = deviceLogin(['authorization_pending', token]);
  expect(await runDeviceFlow(login.options)).toEqual(token);
  expect(login.shown).toEqual([
    {
      userCode: 'BCDF-GHJK',
      verificationUri: 'https://api.example/device',
      verificationUriComplete: 'https://api.example/device?user_code=BCDF-GHJK',
      expiresIn: 900,
    },
  ]);
  expect(login.waited).toEqual([6000, 6000]);
});

test('it polls slower when it is told to, and much slower when nobody answers', async () => {
  const login = deviceLogin(['slow_down', 'authorization_pending', 'unavailable', 'unavailable', token]);
  await runDeviceFlow(login.options);
  expect(login.waited.map((milliseconds) => milliseconds / 1200)).toEqual([5, 10, 10, 20, 40]);
});

test('denied, expired and never answered are told apart', async () => {
  await expect(runDeviceFlow(deviceLogin(['access_denied']).options)).rejects.toMatchObject({
    code: 'SP_LOGIN_DENIED',
    error: 'access_denied',
  });
  const expired = deviceLogin(['slow_down', 'slow_down', 'expired_token']);
  await expect(runDeviceFlow(expired.options)).rejects.toMatchObject({
    code: 'SP_LOGIN_TIMEOUT',
    seconds: 900,
    slowDowns: 2,
  });
  const never = deviceLogin([]);
  await expect(runDeviceFlow(never.options)).rejects.toMatchObject({ code: 'SP_LOGIN_TIMEOUT', slowDowns: 0 });
  expect(never.waited.reduce((sum, milliseconds) => sum + milliseconds, 0)).toBe(900_000);
});

test('what the server’s callbacks throw comes out, and an empty token is none', async () => {
  const failure = new Error('no');
  for (const changes of [{ start: () => Promise.reject(failure) }, { poll: () => Promise.reject(failure) }]) {
    await expect(runDeviceFlow(deviceLogin([], changes).options)).rejects.toBe(failure);
  }
  await expect(runDeviceFlow(deviceLogin([{ accessToken: '' }]).options)).rejects.toMatchObject({
    code: 'SP_LOGIN_NO_TOKEN',
  });
});

test('it can be aborted before and while it waits, with the real timer', async () => {
  const before = deviceLogin([], { signal: AbortSignal.abort() });
  await expect(runDeviceFlow(before.options)).rejects.toMatchObject({ code: 'SP_LOGIN_ABORTED' });
  const controller = new AbortController();
  const { options } = deviceLogin([]);
  const { wait: _, now: __, ...real } = options;
  const running = runDeviceFlow({ ...real, onCode: () => controller.abort(), signal: controller.signal });
  await expect(running).rejects.toMatchObject({ code: 'SP_LOGIN_ABORTED' });
});

test.each(['file:///bin/sh', 'javascript:alert(1)', 'nothing', 'https://a.example/\u001b[2J'])(
  'the page %j is not shown',
  async (verificationUri) => {
    const start = async () => ({ deviceCode: 'd', userCode: 'u', verificationUri, expiresIn: 900 });
    await expect(runDeviceFlow(deviceLogin([], { start }).options)).rejects.toMatchObject({
      code: 'SP_LOGIN_BAD_AUTHORIZE_URL',
    });
  },
);

test('a code with escape sequences is shown without them', async () => {
  const start = async () => ({
    deviceCode: 'the-device-code',
    userCode: 'BCDF\u001b[2J-GHJK',
    verificationUri: 'https://a.example/',
    expiresIn: 900,
  });
  const login = deviceLogin([token], { start });
  await runDeviceFlow(login.options);
  expect(login.shown).toMatchObject([{ userCode: 'BCDF [2J-GHJK' }]);
});

test.each([[['the-token\r\n']], [['  the', '-token  ']], [[Buffer.from('the-to'), Buffer.from('ken\n')]]])(
  'the token of the stream %j is read',
  async (chunks) => {
    expect(await readTokenFromStream(Readable.from(chunks))).toBe('the-token');
  },
);

test.each([
  { why: 'nothing', chunks: [] },
  { why: 'white space', chunks: ['\n \n'] },
  { why: 'two words', chunks: ['the-secret token'] },
  { why: 'two lines', chunks: ['the-secret\ntoken'] },
  { why: 'other characters', chunks: ['the-secret\u00e9'] },
  { why: 'no UTF-8', chunks: [Buffer.from([0xff, 0xfe])] },
  { why: 'too much', chunks: ['x'.repeat(10_000), 'the-secret'.repeat(1000)] },
])('$why is no token', async ({ chunks }) => {
  const error = await readTokenFromStream(Readable.from(chunks)).catch((error: unknown) => error);
  expect(error).toMatchObject({ code: 'SP_LOGIN_NO_TOKEN', reason: expect.any(String) });
  expect(inspect(error, { depth: 9 })).not.toContain('the-secret');
});

test('a stream without an end is not read for ever', async () => {
  const endless = Readable.from(
    (async function* () {
      for (;;) yield 'x'.repeat(1024);
    })(),
  );
  await expect(readTokenFromStream(endless)).rejects.toMatchObject({ code: 'SP_LOGIN_NO_TOKEN' });
  const silent = new Readable({ read: () => undefined });
  const controller = new AbortController();
  const reading = readTokenFromStream(silent, { signal: controller.signal });
  controller.abort();
  await expect(reading).rejects.toMatchObject({ code: 'SP_LOGIN_ABORTED' });
  silent.destroy();
});

test('a server that wants years between two questions is not asked without a pause', async () => {
  const stop = new AbortController();
  let polls = 0;
  const { options } = deviceLogin([], {
    start: async () => ({
      deviceCode: 'the-device-code',
      userCode: 'BCDF-GHJK',
      verificationUri: 'https://api.example/device',
      expiresIn: 1e12,
      interval: 1e12,
    }),
    poll: async () => {
      polls += 1;
      return polls === 3 ? token : 'authorization_pending';
    },
    wait: undefined,
    signal: stop.signal,
  });
  const login = runDeviceFlow(options);
  setTimeout(() => stop.abort(), 200);
  await expect(login).rejects.toMatchObject({ code: 'SP_LOGIN_ABORTED' });
  expect(polls).toBe(0);
});
