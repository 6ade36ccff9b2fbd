// By URLs and not by names: the tools are no part of this package, and its TypeScript project ends at its folder.
const folder = new URL('../../../tools/src/fake-identity/', import.meta.url);

interface FakeProvider<Person> {
  fetch(request: Request): Promise<Response>;
  allow(authorizeUrl: string, person: Person): string;
  deny(authorizeUrl: string): string;
  failNext(...faults: readonly ('none' | 'error' | 'html' | 'silence')[]): void;
}

interface ProviderOptions {
  readonly client: { readonly clientId: string; readonly clientSecret: string; readonly redirectUri: string };
  readonly silenceMs?: number;
  readonly now?: () => number;
}

/** What the tests use of the tools' stand-in for Google. */
export interface FakeGoogle
  extends FakeProvider<{
    readonly sub: string;
    readonly email: string;
    readonly emailVerified?: boolean | string;
    readonly name?: string;
  }> {
  tamperNext(tampering: string): void;
  rotateKey(): Promise<void>;
}

/** What the tests use of the tools' stand-in for GitHub. */
export type FakeGitHub = FakeProvider<{
  readonly id: number;
  readonly login: string;
  readonly name?: string | null;
  readonly emails: readonly { readonly email: string; readonly primary: boolean; readonly verified: boolean }[];
}>;

/** Google in this process. */
export async function createFakeGoogle(
  options: ProviderOptions & { readonly issuer: () => string },
): Promise<FakeGoogle> {
  const module = (await import(new URL('fake-google.ts', folder).href)) as {
    createFakeGoogle(given: typeof options): Promise<FakeGoogle>;
  };
  return await module.createFakeGoogle(options);
}

/** GitHub in this process. */
export async function createFakeGitHub(
  options: ProviderOptions & { readonly webUrl: () => string },
): Promise<FakeGitHub> {
  const module = (await import(new URL('fake-github.ts', folder).href)) as {
    createFakeGitHub(given: typeof options): FakeGitHub;
  };
  return module.createFakeGitHub(options);
}
