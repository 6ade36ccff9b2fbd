/** Bytes that many connections are sent, made once. */
export interface Frame {
  readonly bytes: Uint8Array;
  /** The same as a chunk of HTTP/1.1. */
  readonly chunk: Uint8Array;
}

/** Encodes a text for every connection. */
export function createFrame(text: string): Frame {
  const bytes = Buffer.from(text);
  const chunk = Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]);
  return { bytes, chunk };
}
