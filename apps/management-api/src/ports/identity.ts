import type { OAuthProvider } from '@sp/cloud-api/contract';

/** A person, as a provider vouches for them. */
export interface VerifiedPerson {
  /** The provider's own, immutable id. */
  readonly subject: string;
  readonly email: string;
  readonly name?: string | undefined;
}

/** Somebody who can be asked here. */
export interface LoginProvider {
  readonly provider: OAuthProvider;
  /** Where its login page lives: a browser follows a form of ours only to where the form's page says that it leads. */
  readonly origin: string;
}

/** Asks somebody else who a person is. */
export interface Identity {
  /** Those that this installation has; the others are refused. */
  readonly providers: readonly LoginProvider[];
  /** The page to send the browser to; it returns to `redirectUri` with `code` and `state`. */
  authorizeUrl(request: {
    readonly provider: OAuthProvider;
    /** Made up for this login and used once. */
    readonly state: string;
    readonly redirectUri: string;
  }): Promise<string>;
  /**
   * Turns what the browser came back with into the person. Throws `IdentityRefused` when the provider does not vouch for
   * them, and `IdentityError` when it cannot be asked.
   */
  redeem(request: {
    readonly provider: OAuthProvider;
    /** The query of the address that the browser came back to. */
    readonly answer: URLSearchParams;
    /** The `state` that the login began with. */
    readonly state: string;
    readonly redirectUri: string;
    readonly signal?: AbortSignal | undefined;
  }): Promise<VerifiedPerson>;
}
