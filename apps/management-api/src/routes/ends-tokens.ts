/** Handlers of which each may end a token or a login, also where it fails: `forget` is called after every one of them. */
export function endsTokens<Handlers extends object>(handlers: Handlers, forget: () => void): Handlers {
  const wrapped = Object.entries(handlers as Record<string, (input: unknown) => Promise<unknown>>).map(
    ([verb, handle]) => [verb, (input: unknown) => handle(input).finally(forget)] as const,
  );
  return Object.fromEntries(wrapped) as Handlers;
}
