import { randomInt } from 'node:crypto';

/** No vowels, so that no words come out, and nothing that looks like something else (RFC 8628 §6.1). */
const letters = 'BCDFGHJKLMNPQRSTVWXZ';
const length = 8;

/** A code that a person types: `BCDF-GHJK`. */
export function createUserCode(): string {
  return format(Array.from({ length }, () => letters[randomInt(letters.length)]).join(''));
}

/** The code that somebody typed, in any case and with anything between the letters; `undefined` when it is none. */
export function readUserCode(text: string): string | undefined {
  const typed = text.toUpperCase().replace(/[\s\p{P}]/gu, '');
  const isCode = typed.length === length && typed.split('').every((letter) => letters.includes(letter));
  return isCode ? format(typed) : undefined;
}

function format(code: string): string {
  return `${code.slice(0, 4)}-${code.slice(4)}`;
}
