/**
 * One argument as a shell reads it back, for command lines that people copy: a POSIX shell, on Windows cmd and
 * PowerShell, which both take double quotes.
 */
export function shellWord(word: string, platform: NodeJS.Platform = process.platform): string {
  if (/^[A-Za-z0-9_./:@%+=,-]+$/.test(word)) return word;
  return platform === 'win32' ? `"${word.replaceAll('"', '""')}"` : `'${word.replaceAll("'", "'\\''")}'`;
}
