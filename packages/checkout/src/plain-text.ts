/** What a browser or a server says ends in a terminal: no control characters (escape sequences), no novels. */
export function plainText(text: string): string {
  const plain = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ').trim();
  return plain.slice(0, 300) || '(no reason given)';
}
