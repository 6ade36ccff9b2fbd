import type { CloudApiClient, UserMeResponse } from '@sp/cloud-api';
import type { Child } from './element.ts';
import type { Route } from './route.ts';

/** What a view is given. */
export interface ViewContext {
  readonly api: CloudApiClient;
  readonly user: UserMeResponse['user'];
  /** Where it draws. */
  readonly place: HTMLElement;
  /** Fires when another view takes its place. */
  readonly signal: AbortSignal;
  /** Puts the title over the view, and into the window's. */
  title(text: string, ...beside: readonly Child[]): void;
  /** Says something to everybody, also to those who do not see it. */
  announce(text: string): void;
  /** Shows what went wrong, in one sentence. */
  complain(error: unknown): void;
  /** Takes back what was complained about. */
  calm(): void;
  navigate(route: Route): void;
}
