/**
 * A token as it may be logged: the first 8 and the last 4 characters; of a token of up to 16 characters only asterisks
 * (8 at most).
 */
export function redactToken(token: string): string {
  if (token.length <= 16) return '*'.repeat(Math.min(token.length, 8));
  return `${token.slice(0, 8)}...${token.slice(-4)}`;
}
