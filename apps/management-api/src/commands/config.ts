import {
  type DescribedVariable,
  describeConfiguration,
  renderConfigurationTable,
} from '../configuration/describe-configuration.ts';
import { defineCommand } from './define-command.ts';
import { readConfiguration } from './read-configuration.ts';
import { runCommand } from './run-command.ts';

/** `sp-management-api config`: explains every variable, or says what is wrong with those that are set. */
export const configCommand = defineCommand({
  command: 'config',
  describe: 'Explain every variable of the environment, or check those that are set.',
  options: {
    check: { type: 'boolean', default: false, describe: 'Check the environment, and touch nothing else' },
    markdown: { type: 'boolean', default: false, describe: 'As a table in Markdown' },
  },
  run: async ({ json, check, markdown }) => {
    if (check) {
      await runCommand({ json, toText: () => 'The configuration is valid.' }, async () => {
        readConfiguration();
        return { status: 'valid' };
      });
      return;
    }
    const toText = (variables: readonly DescribedVariable[]): string =>
      markdown ? renderConfigurationTable() : variables.map(explain).join('\n\n');
    await runCommand({ json, toText }, async () => describeConfiguration());
  },
});

function explain({ name, type, required, default: otherwise, secret, description }: DescribedVariable): string {
  const notes = [
    type,
    required === undefined ? undefined : required === 'always' ? 'required' : `required when ${required}`,
    otherwise === undefined ? undefined : `default ${otherwise}`,
    secret ? `secret, or ${name}_FILE` : undefined,
  ];
  return `${name}  (${notes.filter((note) => note !== undefined).join('; ')})\n    ${description}`;
}
