import type { Variable } from './variable.ts';
import { variables } from './variables.ts';

/** A variable as it is explained to people. */
export interface DescribedVariable {
  readonly name: string;
  readonly type: string;
  /** `always`, or `SP_API_MACHINES is fly`; absent when it is never required. */
  readonly required?: string | undefined;
  readonly default?: string | undefined;
  readonly secret: boolean;
  readonly description: string;
}

/** Every variable, in the order of the table. */
export function describeConfiguration(): readonly DescribedVariable[] {
  const all: readonly Variable[] = Object.values(variables as Readonly<Record<string, Variable>>);
  return all.map(({ name, type, required, default: otherwise, secret = false, description }) => ({
    name,
    type,
    required: typeof required === 'object' ? `${required.name} is ${required.is}` : required,
    default: otherwise,
    secret,
    description,
  }));
}

/** The table of all variables in Markdown, as it stands in the documentation. */
export function renderConfigurationTable(): string {
  const rows = describeConfiguration().map(({ name, type, required = '', default: otherwise, secret, description }) => {
    const kind = secret ? `${type}, secret` : type;
    const fallback = otherwise === undefined ? '' : `\`${otherwise}\``;
    return `| \`${name}\` | ${kind} | ${required.replace(/\S*_\S*/, '`$&`')} | ${fallback} | ${description} |`;
  });
  return ['| variable | type | required | default | |', '|---|---|---|---|---|', ...rows].join('\n');
}
