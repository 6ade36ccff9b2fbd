/** Error codes of the distribution specification that this registry uses. */
export type RegistryErrorCode =
  | 'BLOB_UNKNOWN'
  | 'BLOB_UPLOAD_INVALID'
  | 'BLOB_UPLOAD_UNKNOWN'
  | 'DENIED'
  | 'DIGEST_INVALID'
  | 'MANIFEST_BLOB_UNKNOWN'
  | 'MANIFEST_INVALID'
  | 'MANIFEST_UNKNOWN'
  | 'NAME_INVALID'
  | 'NAME_UNKNOWN'
  | 'SIZE_INVALID'
  | 'UNAUTHORIZED'
  | 'UNSUPPORTED';

/** An answer that is not an error. Old Docker engines look for the version header. */
export function answer(
  status: number,
  headers: Readonly<Record<string, string>>,
  body: string | Uint8Array | ReadableStream<Uint8Array> | null = null,
): Response {
  return new Response(body, { status, headers: { 'docker-distribution-api-version': 'registry/2.0', ...headers } });
}

/** An error in the specification's form. */
export function errorAnswer(
  status: number,
  error: { readonly code: RegistryErrorCode; readonly message: string; readonly detail?: unknown },
  headers: Readonly<Record<string, string>> = {},
): Response {
  const body = `${JSON.stringify({ errors: [error] })}\n`;
  return answer(status, { 'content-type': 'application/json', ...headers }, body);
}
