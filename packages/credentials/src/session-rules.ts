/** Why the session's names break the rules that the predecessor holds them to; `undefined` when they do not. */
export function sessionProblem(session: {
  readonly profileName: string;
  readonly userEmail: string;
}): string | undefined {
  if (!/^[A-Za-z0-9_-]+$/.test(session.profileName)) return '`profile_name` is not a name of letters, digits, - and _';
  if (!isSessionEmail(session.userEmail)) return '`user_email` is not an e-mail address';
  return undefined;
}

/** Stricter than the credential file's: the domain has a dot, and a last part of two characters or more. */
function isSessionEmail(text: string): boolean {
  const [local = '', domain = '', ...rest] = text.split('@');
  if (rest.length > 0 || local === '' || !domain.includes('.')) return false;
  if (/^\.|\.$|\.\./.test(domain) || /^\.|\.$|\.\./.test(local)) return false;
  return (domain.split('.').at(-1) ?? '').length >= 2;
}
