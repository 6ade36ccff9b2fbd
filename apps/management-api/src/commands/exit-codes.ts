/** Exit codes, the same as those of `systemprompt`. */
export const exitCodes = { ok: 0, failed: 1, usage: 2, notFound: 5, conflict: 6, network: 12 } as const;
