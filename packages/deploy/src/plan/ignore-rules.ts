/** Decides what stays out of the image. */
export interface IgnoreMatcher {
  /** Whether a path (relative to the project, `/` between segments) stays out. */
  ignores(path: string): boolean;
  /** Whether something inside of an ignored folder may be taken back by a `!` line. */
  readonly hasExceptions: boolean;
}

interface Rule {
  readonly text: string;
  readonly pattern: RegExp;
  readonly negated: boolean;
}

/** What the rules say of one path; those of a file follow from those of its folder. */
interface Verdict {
  readonly ignored: boolean;
  /** Whether docker would not even look into the folder. */
  readonly closed: boolean;
  /** Which rules hold for everything below. */
  readonly matched: readonly boolean[];
}

/**
 * A matcher with the rules of `.dockerignore`: patterns are anchored at the project, the last matching line decides,
 * `!` takes back, `#` comments, `*` and `?` stay within a segment, `**` crosses them. A line that matches a folder
 * matches everything in it; a `!` line for a folder does so only when the folder itself was out. `always` lines are out
 * whatever the others say.
 */
export function createIgnoreMatcher(lines: Iterable<string>, always: Iterable<string> = []): IgnoreMatcher {
  const rules = Array.from(lines).flatMap(parseRule);
  const fixed = Array.from(always).flatMap(parseRule);
  const exceptions = rules.filter((rule) => rule.negated).map(({ text }) => text.replace(/(?:\/\*\*?)+$/, ''));
  const isPlain = exceptions.every((text) => !/[*?[\\]/.test(text));
  const folders = new Map<string, Verdict>();

  const judge = (path: string): Verdict => {
    const above = path.includes('/') ? folderVerdict(path.slice(0, path.lastIndexOf('/'))) : undefined;
    if (above?.closed) return above;
    let ignored = false;
    const matched = rules.map(({ pattern, negated }, index) => {
      const inherited = above?.matched[index] ?? false;
      // A line that would change nothing is not looked at, and so is not remembered for what is below.
      const matches = inherited || (negated === ignored && pattern.test(path));
      if (matches) ignored = !negated;
      return matches;
    });
    const mayHoldException = !isPlain || exceptions.some((text) => `${text}/`.startsWith(`${path}/`));
    return { ignored, closed: ignored && !mayHoldException, matched };
  };
  const folderVerdict = (path: string): Verdict => {
    const known = folders.get(path) ?? judge(path);
    folders.set(path, known);
    return known;
  };

  return {
    hasExceptions: exceptions.length > 0,
    ignores: (path) => fixed.some(({ pattern }) => matchesWithin(pattern, path)) || judge(path).ignored,
  };
}

/** Whether a pattern matches a path or a folder above it. */
function matchesWithin(pattern: RegExp, path: string): boolean {
  for (let end = path.length; end > 0; end = path.lastIndexOf('/', end - 1)) {
    if (pattern.test(path.slice(0, end))) return true;
  }
  return false;
}

function parseRule(line: string): readonly Rule[] {
  if (line.startsWith('#')) return [];
  const trimmed = line.trim();
  const negated = trimmed.startsWith('!');
  const pattern = cleaned(negated ? trimmed.slice(1).trim() : trimmed);
  return pattern === '' ? [] : [{ text: pattern, pattern: toRegExp(pattern), negated }];
}

/** Without `.` and doubled slashes, `..` resolved. One that leads out of the project matches nothing in it. */
function cleaned(pattern: string): string {
  const segments: string[] = [];
  for (const segment of pattern.split('/')) {
    if (segment === '' || segment === '.') continue;
    if (segment !== '..' || segments.length === 0 || segments.at(-1) === '..') segments.push(segment);
    else segments.pop();
  }
  return segments.join('/');
}

/** Matches the path itself. */
function toRegExp(pattern: string): RegExp {
  let source = '^';
  for (let index = 0; index < pattern.length; index += 1) {
    const rest = pattern.slice(index);
    const set = /^\[\^?[^\]]+\]/.exec(rest)?.[0];
    if (rest.startsWith('**')) {
      const behind = rest.replace(/^\*\*\/?/, '');
      // As docker has it: whole segments, but any text at the end and before text alone at the beginning.
      const anyText = behind === '' || (index === 0 && !rest.startsWith('**/') && !/[*?[\\]/.test(behind));
      source += anyText ? '.*' : '(?:.*/)?';
      index += rest.length - behind.length - 1;
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
  return new RegExp(`${source}$`, 's');
}

function escapeRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}
