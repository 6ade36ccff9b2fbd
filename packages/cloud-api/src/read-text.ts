/** More than any answer of the contract, and far from what would fill the memory. */
const mostBytes = 64 * 1_048_576;

/** The text of an answer; `undefined` when it is too long. Rejects when the connection breaks. */
export async function readText(response: Response): Promise<string | undefined> {
  const { body, headers } = response;
  const said = headers.get('content-length');
  // What is short by its own account is read at once, which is faster.
  if (body === null || (said !== null && Number(said) <= mostBytes && !headers.has('content-encoding'))) {
    return response.text();
  }
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    bytes += value.length;
    if (bytes > mostBytes) {
      await reader.cancel().catch(() => undefined);
      return undefined;
    }
    text += decoder.decode(value, { stream: true });
  }
}
