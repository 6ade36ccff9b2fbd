/** Whether the password of a database URL is a mask, so that the URL opens nothing. */
export function isMaskedDatabaseUrl(url: string): boolean {
  return url.includes(':***@') || url.includes(':********@');
}

/**
 * The URL with `***` for its password. A text without one stays as it is; one with stray `@` or `:` in the password
 * rather loses too much than too little.
 *
 * @example
 * maskDatabaseUrl('postgres://ada:secret@db.test/site'); // 'postgres://ada:***@db.test/site'
 */
export function maskDatabaseUrl(url: string): string {
  const [, beforeQuery = url, query = ''] = /^([^?]*@[^?]*)(\?.*)?$/s.exec(url) ?? [];
  return beforeQuery.replace(/^((?:[A-Za-z][A-Za-z0-9+.-]*:\/\/)?[^:@/]*:(?!\/\/)).*@/s, '$1***@') + query;
}
