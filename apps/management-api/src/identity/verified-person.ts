import * as z from 'zod/mini';
import type { VerifiedPerson } from '../ports/identity.ts';
import { IdentityError } from './identity-error.ts';

const personSchema = z.object({
  subject: z.string().check(z.minLength(1), z.maxLength(255)),
  email: z.string().check(z.maxLength(254), z.regex(/^[^\s@\p{Cc}]+@[^\s@\p{Cc}]+\.[^\s@\p{Cc}]+$/u)),
});

/**
 * The person of a provider's answer. Names are free text, and are only shown.
 * @throws {IdentityError} SP_IDENTITY_RESPONSE
 */
export function readPerson(
  provider: string,
  answer: { readonly subject: unknown; readonly email: unknown; readonly name: unknown },
): VerifiedPerson {
  const person = personSchema.safeParse(answer);
  if (!person.success) {
    throw new IdentityError('SP_IDENTITY_RESPONSE', {
      provider,
      reason: 'it said neither who nor how to write to them',
    });
  }
  const name =
    typeof answer.name === 'string'
      ? answer.name
          .replace(/\p{Cc}/gu, ' ')
          .trim()
          .slice(0, 100)
      : '';
  return { ...person.data, name: name === '' ? undefined : name };
}
