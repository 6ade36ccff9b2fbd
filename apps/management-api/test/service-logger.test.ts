import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bundle } from './crash/run-child.ts';

let program: Awaited<ReturnType<typeof bundle>>;
beforeAll(async () => {
  program = await bundle('logging');
});
afterAll(() => program.remove());

/** Starts a process that logs, and gives the numbers of the lines that have come. */
function start(way: string) {
  const child = spawn(process.execPath, [program.path, way], { stdio: ['ignore', 'pipe', 'ignore'] });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  const lines = () =>
    output
      .split('\n')
      .filter((text) => text !== '')
      .map((text) => JSON.parse(text) as { readonly msg: string; readonly line?: number; readonly time: string });
  return { child, lines };
}

const all = Array.from({ length: 100 }, (_, line) => line);

test.each(['exit', 'error', 'rejection', 'killed'])('a process that ends by %s has written its lines', async (way) => {
  const { child, lines } = start(way);
  await once(child, 'close');
  const numbers = lines().flatMap(({ line }) => (line === undefined ? [] : [line]));
  expect(numbers).toEqual(all);
  if (way === 'killed') expect(lines().at(-1)?.msg).toBe('last words');
  for (const { time } of lines()) expect(new Date(time).toISOString()).toBe(time);
});

test('a process that goes on does not keep its lines to itself', async () => {
  const { child, lines } = start('waits');
  await expect.poll(() => lines().length).toBe(100);
  child.kill();
  await once(child, 'close');
});
