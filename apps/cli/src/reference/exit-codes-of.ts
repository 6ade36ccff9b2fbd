import { exitCodes } from '../exit-codes.ts';
import { sideEffects } from './side-effects.ts';

const { ok, failed, usage, inputNeeded, notLoggedIn, notFound, conflict, forbidden } = exitCodes;
const { pending, partlyDone, changesPending, rolledBack, network, bug, interrupted } = exitCodes;

/** What some commands end with besides. */
const special: Readonly<Record<string, readonly number[]>> = {
  'cloud deploy': [changesPending, pending, rolledBack],
  'cloud rollback': [pending, rolledBack],
  'cloud secrets diff': [changesPending],
  'cloud sync down': [changesPending, partlyDone],
  'cloud sync status': [changesPending],
  'cloud sync undo': [partlyDone],
  'cloud sync up': [changesPending, partlyDone],
  'cloud status': [pending],
  'cloud tenant create': [pending],
  'cloud auth login': [pending],
  'cloud open': [pending],
  'cloud local up': [pending],
  'cloud local down': [pending],
  'cloud local reset': [pending],
};

/** The exit codes that a command can end with, smallest first. */
export function exitCodesOf(command: string): readonly number[] {
  const effects = sideEffects[command];
  const online = effects?.network === true ? [notLoggedIn, forbidden, network] : [];
  const codes = [ok, failed, usage, inputNeeded, notFound, conflict, bug, interrupted];
  return [...codes, ...online, ...(special[command] ?? [])].toSorted((a, b) => a - b);
}
