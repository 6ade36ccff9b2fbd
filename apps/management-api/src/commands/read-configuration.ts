import { readFileSync } from 'node:fs';
import { type Configuration, loadConfiguration } from '../configuration/configuration.ts';

/**
 * The configuration of this process. Afterwards its secrets are in the environment no longer: what it starts inherits
 * nothing of them.
 * @throws {ConfigurationInvalid}
 */
export function readConfiguration(): Configuration {
  const configuration = loadConfiguration({ env: process.env, readFile: (path) => readFileSync(path, 'utf8') });
  for (const name of Object.keys(process.env)) {
    if (name.startsWith('SP_API_') || name === 'DATABASE_URL') delete process.env[name];
  }
  return configuration;
}
