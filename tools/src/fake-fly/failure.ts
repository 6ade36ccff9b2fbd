/** What the API answers when it refuses. */
export class FlyFailure extends Error {
  override readonly name = 'FlyFailure';
  readonly status: number;
  /** The machine-readable word beside the text, where Fly has one. */
  readonly word: string | undefined;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    message: string,
    options: { readonly word?: string | undefined; readonly headers?: Readonly<Record<string, string>> } = {},
  ) {
    super(message);
    this.status = status;
    this.word = options.word;
    this.headers = options.headers ?? {};
  }
}

export function notFound(what: string): FlyFailure {
  return new FlyFailure(404, `${what} not found`);
}
