import * as z from 'zod';

const loopbackNames: ReadonlySet<string> = new Set(['127.0.0.1', '[::1]', 'localhost']);

/** Whether only this computer reaches an address. */
export function isLoopback(url: string): boolean {
  return loopbackNames.has(new URL(url).hostname);
}

/** An address of ours: https, or http on this computer; without a path. */
export const ownUrl = z
  .string()
  .refine((text) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol), { error: 'is not an http address' })
  .refine((text) => !URL.canParse(text) || new URL(text).protocol === 'https:' || isLoopback(text), {
    error: 'has to begin with https:// (http is for 127.0.0.1 and localhost)',
  })
  .refine((text) => !URL.canParse(text) || ['', '/'].includes(new URL(text).pathname), { error: 'has a path' })
  .transform((text) => new URL(text).origin);

/** An address of somebody else's. */
export const serviceUrl = z
  .string()
  .refine((text) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol), { error: 'is not an http address' })
  .transform((text) => text.replace(/\/+$/, ''));

/** An address of a Postgres database. */
export const postgresUrl = z
  .string()
  .refine((text) => URL.canParse(text) && /^postgres(ql)?:$/.test(new URL(text).protocol), {
    error: 'is not a postgresql:// address',
  });

/** A host name, with a port or without. */
export const hostName = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d{1,5})?$/, { error: 'is not a host name in lower case' });

/** A host name whose port is said elsewhere. */
export const portlessHostName = hostName.refine((text) => !text.includes(':'), {
  error: 'has a port, which is that of the URL',
});

/** A whole number between two others. */
export function integer(least: number, most: number): z.ZodType<number, string> {
  return z
    .string()
    .refine((text) => /^\d{1,15}$/.test(text) && Number(text) >= least && Number(text) <= most, {
      error: `is not a whole number from ${least} to ${most}`,
    })
    .transform(Number);
}

/** One of some words. */
export function choice<const Words extends readonly [string, ...string[]]>(
  words: Words,
): z.ZodType<Words[number], string> {
  return z.string().pipe(z.enum(words, { error: `is none of ${words.join(', ')}` })) as z.ZodType<
    Words[number],
    string
  >;
}

/** Some of some words, with commas between them. */
export function choices<const Words extends readonly [string, ...string[]]>(
  words: Words,
): z.ZodType<readonly Words[number][], string> {
  const known: readonly string[] = words;
  return z
    .string()
    .transform((text) => [...new Set(text.split(',').map((word) => word.trim()))])
    .refine((chosen) => chosen.every((word) => known.includes(word)), {
      error: `has something that is none of ${words.join(', ')}`,
    }) as z.ZodType<readonly Words[number][], string>;
}

/** Some text. */
export const text = z.string().trim().min(1, { error: 'is empty' });

/**
 * A token of Fly.io, as its tools print it: with the scheme of the header in front of it or without. What is kept is the
 * token alone, which is also the password of the registry.
 */
export const flyToken = z
  .string()
  .transform((printed) => printed.trim().replace(/^((FlyV1|Bearer)(\s+|$))+/i, ''))
  .refine((token) => token !== '', { error: 'is empty' })
  .refine((token) => /^[\x21-\x7e]*$/.test(token), { error: 'has blanks in it, or what no token has' });

/** Secrets with commas between them, at least one. */
export const secrets = z
  .string()
  .transform((joined) =>
    joined
      .split(',')
      .map((secret) => secret.trim())
      .filter((secret) => secret !== ''),
  )
  .refine((all) => all.length > 0, { error: 'has no secret' });

const keyText = /^[A-Za-z0-9+/_-]{43}=?$/;

/** 32 bytes in base64, which look like those of a random source. */
export const key = z
  .string()
  .regex(keyText, { error: 'is not 32 bytes in base64 (as `openssl rand -base64 32` prints them)' })
  .transform((encoded) => new Uint8Array(Buffer.from(encoded, 'base64')))
  .refine((bytes) => new Set(bytes).size > 1, { error: 'is one byte again and again, which is no key' });

/** Keys of 32 bytes in base64 with commas between them. */
export const keys = z
  .string()
  .transform((joined) => joined.split(',').map((encoded) => encoded.trim()))
  .refine((all) => all.every((encoded) => keyText.test(encoded)), {
    error: 'has something that is not 32 bytes in base64',
  })
  .transform((all) => all.map((encoded) => new Uint8Array(Buffer.from(encoded, 'base64'))));
