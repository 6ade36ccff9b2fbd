/** The URL, or `undefined` for text that is none (`URL.parse` needs Node 22). */
export function parseUrl(text: string, base?: string): URL | undefined {
  return URL.canParse(text, base) ? new URL(text, base) : undefined;
}
