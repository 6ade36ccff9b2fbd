import type { CloudApiClient } from '@sp/cloud-api';
import type { ProjectContext } from '@sp/paths';
import { CliError } from '../cli-error.ts';
import type { Context } from '../context.ts';
import { findCheckout, type OpenCheckout } from './checkout-file.ts';
import { forgetGone } from './forget-gone.ts';

/**
 * The checkout to take up instead of opening another: the one that was named, or one that was left and that the person
 * rather takes up, for it may be paid.
 *
 * @throws {CliError} `SP_CLI_INPUT_NEEDED` when one was left and nobody can be asked, and those of `findCheckout`
 */
export async function findLeftCheckout(
  flags: {
    readonly resume?: string | undefined;
    readonly name?: string | undefined;
    readonly profile?: string | undefined;
    readonly 'new-checkout': boolean;
  },
  { context, api, project, bin }: { context: Context; api: CloudApiClient; project: ProjectContext; bin: string },
): Promise<OpenCheckout | undefined> {
  if (flags.resume !== undefined) return findCheckout(project, flags, new URL(api.baseUrl).origin);
  if (flags['new-checkout']) return undefined;
  const left = await forgetGone({ context, api, project });
  const [last] = left;
  if (last === undefined) return undefined;
  const message = `A checkout of ${last.name} was left, and may be paid`;
  if (!context.interactive) {
    const command = `${bin} cloud tenant create`;
    throw new CliError('SP_CLI_INPUT_NEEDED', message, {
      flags: ['--resume', '--new-checkout'],
      next: [`${command} --resume last`, `${command} --new-checkout`],
    });
  }
  const { askSelect } = await import('../prompts.ts');
  const picked = await askSelect({
    message,
    options: [
      ...left.map(({ sessionId, name }) => ({ value: sessionId, label: `Take up the checkout of ${name}` })),
      { value: '', label: 'Buy another tenant', hint: 'the other checkout can still be taken up' },
    ],
  });
  return left.find(({ sessionId }) => sessionId === picked);
}
