// Measures the libraries as ratios against a stated peer, in one run, on the built packages. Prints a table; the limits
// beside the numbers are what the project promises.
import { fileURLToPath } from 'node:url';
import { callOverhead } from './bench-sdk/call-overhead.ts';
import { importTimes } from './bench-sdk/import-time.ts';
import { packageEntries } from './bench-sdk/package-entries.ts';
import { packageSize } from './bench-sdk/package-size.ts';
import { refreshStorm } from './bench-sdk/refresh-storm.ts';
import { storeLoad } from './bench-sdk/store-load.ts';

const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
const row = (what: string, value: string, note = ''): void =>
  console.log(`${what.padEnd(28)} ${value.padStart(12)}  ${note}`.trimEnd());

const call = await callOverhead(root);
row(
  'client / fetch',
  `${(call.client / call.fetch).toFixed(2)}x`,
  `${call.client.toFixed(0)} / ${call.fetch.toFixed(0)} us a call; at most 1.4x`,
);

const store = await storeLoad(root, 10_000);
row('load 10,000 tenants', `${store.load.toFixed(0)} ms`, 'at most 100 ms');
row('add one to 10,000', `${store.upsert.toFixed(0)} ms`);

const storm = await refreshStorm(root, 50);
row(
  '50 processes refresh at once',
  `${storm.time.toFixed(0)} ms`,
  `${storm.refreshes} request, ${storm.loggedIn} of 50 logged in; ${storm.calm.toFixed(0)} ms with a token that is good`,
);

const entries = await packageEntries(root);
const { node = Number.NaN, ...times } = await importTimes(root, entries);
console.log(`\n${'import'.padEnd(28)} ${'time'.padStart(12)}  bare node: ${node.toFixed(0)} ms; KB minified, gzip`);
const kilobytes = (bytes: number): string => (bytes / 1024).toFixed(1);
for (const entry of entries) {
  const { specifier } = entry;
  const ratio = `${((times[specifier] ?? Number.NaN) / node).toFixed(2)}x`;
  const { first, all } = await packageSize(root, entry);
  const limit = specifier === '@sp/cloud-api' ? ' (at most 16)' : '';
  const later = all > first ? `, ${kilobytes(all)} with what is loaded later` : '';
  row(specifier, ratio, `${kilobytes(first)} KB${limit}${later}`);
}
