/** The token that a request brings. */
export function bearerToken(headers: Pick<Headers, 'get'>): string | undefined {
  const value = headers.get('authorization') ?? '';
  return /^Bearer ([^\s]+)$/i.exec(value)?.[1];
}
