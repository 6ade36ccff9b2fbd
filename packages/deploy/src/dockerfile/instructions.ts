/** One instruction of a Dockerfile, continued lines joined. */
export interface Instruction {
  /** Where it begins, from 1. */
  readonly line: number;
  /** Upper case: `FROM`, `COPY`. */
  readonly name: string;
  /** What follows, blanks in a row as one. */
  readonly rest: string;
}

/** The instructions of a Dockerfile in their order, without comments, directives and the text of here-documents. */
export function parseInstructions(text: string): readonly Instruction[] {
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\r|\n/);
  const continued = /^#\s*escape\s*=\s*`/im.test(text) ? /`\s*$/ : /\\\s*$/;
  const instructions: Instruction[] = [];
  for (let index = 0; index < lines.length; index += 1) {
    const line = index + 1;
    let logical = '';
    for (; index < lines.length; index += 1) {
      const current = lines[index] ?? '';
      // Comments and empty lines may stand between the lines of an instruction.
      if (/^\s*(?:#|$)/.test(current)) {
        if (logical === '') break;
        continue;
      }
      logical += `${current.replace(continued, '')} `;
      if (!continued.test(current)) break;
    }
    const match = /^\s*(\S+)\s*(.*)$/s.exec(logical);
    if (match === null) continue;
    const [, name = '', rest = ''] = match;
    instructions.push({ line, name: name.toUpperCase(), rest: rest.replace(/\s+/g, ' ').trim() });
    for (const [, strip, word = ''] of rest.matchAll(/<<(-?)["']?([A-Za-z_]\w*)["']?/g)) {
      const isEnd = (candidate: string): boolean => (strip === '-' ? candidate.trimStart() : candidate) === word;
      while (index + 1 < lines.length && !isEnd(lines[index + 1] ?? '')) index += 1;
      index += 1;
    }
  }
  return instructions;
}

/** Flags, sources and destination of a COPY or ADD, in its JSON or its plain form. */
export function copyArguments(rest: string): { readonly sources: readonly string[]; readonly fromStage: boolean } {
  const flags = /^(?:--\S+\s+)*/.exec(rest)?.[0] ?? '';
  const paths = rest.slice(flags.length);
  return { sources: words(paths).slice(0, -1), fromStage: /(?:^|\s)--from=/.test(flags) };
}

function words(paths: string): readonly string[] {
  try {
    const parsed: unknown = JSON.parse(paths);
    if (Array.isArray(parsed)) return parsed.map(String);
  } catch {
    // The plain form.
  }
  return paths.split(' ').filter((word) => word !== '');
}
