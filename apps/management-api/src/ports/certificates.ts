/** A record that the owner of a host name has to make. */
export interface DnsRecord {
  readonly type: 'A' | 'AAAA' | 'CNAME' | 'TXT';
  readonly name: string;
  readonly value: string;
  /**
   * `traffic` leads requests to the tenant: the CNAME, or the A and AAAA records where a CNAME cannot be (the root of a
   * domain). `validation` and `ownership` prove the name to whoever gives the certificate, also before traffic comes.
   */
  readonly purpose: 'traffic' | 'validation' | 'ownership';
}

/** A certificate for a host name of a tenant's, which the provider gets and renews. */
export interface Certificate {
  readonly hostname: string;
  /** `pending` until the provider has found the records and the certificate is there. */
  readonly status: 'pending' | 'active';
  readonly records: readonly DnsRecord[];
  /** Why it is still pending, in the provider's words. */
  readonly reason?: string | undefined;
}

/** Gets certificates for host names. Every call may be repeated. */
export interface Certificates {
  /** Asks for a certificate, unless that was done. */
  ensure(
    appName: string,
    hostname: string,
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<Certificate>;
  /** Has the records looked at now; `undefined` when no certificate was asked for. */
  check(
    appName: string,
    hostname: string,
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<Certificate | undefined>;
  /** Gives it up; one that is not there is no error. */
  remove(appName: string, hostname: string, options?: { readonly signal?: AbortSignal | undefined }): Promise<void>;
}
