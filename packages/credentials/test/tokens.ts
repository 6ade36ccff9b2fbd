/** A token with this payload; the signature is not one, as nothing here looks at it. */
export function tokenWith(payload: unknown): string {
  const encode = (text: string): string => Buffer.from(text).toString('base64url');
  return `${encode('{"alg":"none"}')}.${encode(JSON.stringify(payload))}.c2lnbmF0dXJl`;
}
