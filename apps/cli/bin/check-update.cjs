'use strict';
// Asks the registry for the latest version and keeps the answer in the file that is named; started in the background, at
// most once a day, and without a word whatever happens.
const { readFileSync, renameSync, writeFileSync } = require('node:fs');

const path = process.argv[2];
const registry = (process.env.npm_config_registry || 'https://registry.npmjs.org').replace(/\/+$/, '');
const { get } = require(registry.startsWith('http:') ? 'node:http' : 'node:https');
process.on('uncaughtException', () => process.exit(1));

const request = get(`${registry}/@sp%2fcli/latest`, { timeout: 5000, headers: { accept: 'application/json' } });
request.on('timeout', () => request.destroy(new Error('timeout')));
request.on('response', (response) => {
  let text = '';
  response.setEncoding('utf8').on('data', (chunk) => {
    text += chunk;
    if (text.length > 1_000_000) request.destroy(new Error('too long'));
  });
  response.on('end', () => {
    const { version } = JSON.parse(text);
    if (response.statusCode !== 200 || !/^\d+\.\d+\.\d+$/.test(version)) return;
    const draft = `${path}.${process.pid}.tmp`;
    writeFileSync(draft, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), latest: version }));
    renameSync(draft, path);
  });
});
