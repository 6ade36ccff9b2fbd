/** Variables as a `.env` file that `parseDotenv`, dotenv and a shell read back alike; sorted by name. */
export function formatDotenv(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${quote(value)}\n`)
    .join('');
}

/** Plain where every reader agrees, else in quotes that take everything as it is, else with escapes. */
function quote(value: string): string {
  if (/^[A-Za-z0-9_./:@%+,=-]*$/.test(value)) return value;
  if (!value.includes("'") && !value.includes('\r')) return `'${value}'`;
  const escapes: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };
  return `"${value.replaceAll(/[\\"$]/g, '\\$&').replaceAll(/[\n\r\t]/g, (character) => escapes[character] ?? '')}"`;
}
