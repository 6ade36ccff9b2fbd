/** The value of a `Retry-After` header (seconds or a date) in milliseconds from now; `undefined` when it is neither. */
export function parseRetryAfter(value: string): number | undefined {
  if (/^\s*\d{1,9}\s*$/.test(value)) return Number(value) * 1_000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}
