/** Decides what stays out of the image. */
export interface IgnoreMatcher {
  /** Whether a path (relative to the project, `/` between segments) stays out. */
  ignores(path: string): boolean;
  /** Whether something inside of an ignored folder may be taken back by a `!` line. */
  readonly hasExceptions: boolean;
}

interface Rule {
  readonly pattern: RegExp;
  readonly negated: boolean;
}

/**
 * A matcher with the rules of `.dockerignore`: patterns are anchored at the project, the last matching line decides,
 * `!` takes back, `#` comments, `*` and `?` stay within a segment, `**` crosses them. A line that matches a folder
 * matches everything in it. `always` lines are out whatever the others say.
 */
export function createIgnoreMatcher(lines: Iterable<string>, always: Iterable<string> = []): IgnoreMatcher {
  const rules = Array.from(lines).flatMap(parseRule);
  const fixed = Array.from(always).flatMap(parseRule);
  return {
    hasExceptions: rules.some((rule) => rule.negated),
    ignores(path) {
      if (fixed.some(({ pattern }) => pattern.test(path))) return true;
      let ignored = false;
      for (const { pattern, negated } of rules) {
        if (negated === ignored && pattern.test(path)) ignored = !negated;
      }
      return ignored;
    },
  };
}

function parseRule(line: string): readonly Rule[] {
  if (line.startsWith('#')) return [];
  const trimmed = line.trim();
  const negated = trimmed.startsWith('!');
  const pattern = (negated ? trimmed.slice(1).trim() : trimmed)
    .split('/')
    .filter((segment) => segment !== '' && segment !== '.')
    .join('/');
  return pattern === '' ? [] : [{ pattern: toRegExp(pattern), negated }];
}

/** Matches the path itself and everything below it. */
function toRegExp(pattern: string): RegExp {
  let source = '^';
  for (let index = 0; index < pattern.length; index += 1) {
    const rest = pattern.slice(index);
    const set = /^\[\^?[^\]]+\]/.exec(rest)?.[0];
    if (rest.startsWith('**/')) {
      source += '(?:.*/)?';
      index += 2;
    } else if (rest.startsWith('**')) {
      source += '.*';
      index += 1;
    } else if (set !== undefined) {
      source += set.replaceAll('\\', '\\\\');
      index += set.length - 1;
    } else if (rest.startsWith('*')) source += '[^/]*';
    else if (rest.startsWith('?')) source += '[^/]';
    else if (rest.startsWith('\\') && rest.length > 1) {
      source += escapeRegExp(rest.charAt(1));
      index += 1;
    } else source += escapeRegExp(rest.charAt(0));
  }
  return new RegExp(`${source}(?:/.*)?$`, 's');
}

function escapeRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}
