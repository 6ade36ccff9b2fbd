/** What the program that sends a request calls itself, short and without control characters. */
export function clientName(request: Request): string | undefined {
  const name = (request.headers.get('user-agent') ?? '')
    .replace(/[\p{Cc}\p{Cf}]+/gu, ' ')
    .trim()
    .slice(0, 120);
  return name === '' ? undefined : name;
}
