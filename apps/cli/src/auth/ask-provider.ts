import type { Context } from '../context.ts';

/**
 * Who shall vouch for the person. Asked only for a page of this computer: with a code, the choice is made where the code
 * is typed.
 */
export async function askProvider(
  { interactive }: Context,
  transport: 'browser' | 'device' | 'stdin',
): Promise<'github' | 'google'> {
  if (transport !== 'browser' || !interactive) return 'github';
  const { askSelect } = await import('../prompts.ts');
  const options = [
    { value: 'github', label: 'GitHub' },
    { value: 'google', label: 'Google' },
  ];
  return (await askSelect({ message: 'Log in with', options })) === 'google' ? 'google' : 'github';
}
