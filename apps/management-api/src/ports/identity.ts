/** A person, as a provider vouches for them. */
export interface VerifiedPerson {
  /** The provider's own, immutable id. */
  readonly subject: string;
  readonly email: string;
  readonly name?: string | undefined;
}

/** Asks somebody else who a person is. */
export interface Identity {
  /** The page to send the browser to; it returns to `redirectUri` with `code` and `state`. */
  authorizeUrl(request: {
    readonly provider: 'github' | 'google';
    readonly state: string;
    readonly redirectUri: string;
  }): Promise<string>;
  /** Turns the provider's code into the person; throws `IdentityRefused` when the provider says no. */
  redeem(request: {
    readonly provider: 'github' | 'google';
    readonly code: string;
    readonly redirectUri: string;
    readonly signal?: AbortSignal;
  }): Promise<VerifiedPerson>;
}
