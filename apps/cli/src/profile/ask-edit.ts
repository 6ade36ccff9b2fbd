import { askSelect, askText } from '../prompts.ts';
import { profileSetFlags } from './editable.ts';

/** Asks a person what of a profile to set, and to what: as the flags would say it. */
export async function askProfileEdit(): Promise<Readonly<Record<string, string | number>>> {
  const flags = Object.entries(profileSetFlags);
  const options = flags.map(([value, { summary = value }]) => ({ value, label: summary.replace(/[;.].*$/, '') }));
  const flag = await askSelect({ message: 'What is to change?', options });
  // It is asked for where it is used, and not shown.
  if (flags.some(([name, { helpValue }]) => name === flag && helpValue === '-')) return { [flag]: '-' };
  if (flag !== 'set-port') return { [flag]: await askText({ message: 'Its new value', validate: notEmpty }) };
  const validate = (value: string): string | undefined =>
    /^\d+$/.test(value) && Number(value) >= 1 && Number(value) <= 65_535 ? undefined : 'a number from 1 to 65535';
  return { [flag]: Number(await askText({ message: 'Port', validate })) };
}

function notEmpty(value: string): string | undefined {
  return value === '' ? 'must not be empty' : undefined;
}
