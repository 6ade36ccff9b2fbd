/** Deeper than any profile, and far from where a parser runs out of stack: V8 can end the whole process there. */
const deepest = 200;

/**
 * Whether a YAML text may be nested more deeply than a parser should be asked to follow. It counts too much rather than
 * too little: brackets in texts count too.
 */
export function isTooDeep(text: string): boolean {
  let open = 0;
  for (const bracket of text.matchAll(/[[\]{}]/g)) {
    open = /[[{]/.test(bracket[0]) ? open + 1 : Math.max(0, open - 1);
    if (open > deepest) return true;
  }
  // A block is always further to the right than the one that it is in.
  return new RegExp(`^[\\t ?:-]{${deepest},}`, 'm').test(text);
}
