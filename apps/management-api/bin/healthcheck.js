#!/usr/bin/env node
// For images without a shell: 0 when the process beside it is ready for requests.
import { get } from 'node:http';

const port = process.env.SP_API_PORT || '8080';
const request = get({ host: '127.0.0.1', port, path: '/readyz', timeout: 4000 }, (response) => {
  response.resume();
  process.exitCode = response.statusCode === 200 ? 0 : 1;
});
request.on('timeout', () => request.destroy(new Error('timeout')));
request.on('error', () => {
  process.exitCode = 1;
});
