// By a URL and not by name: the tools are no part of this package, and its TypeScript project ends at its folder.
const tools = new URL('../../../tools/src/fake-paddle/fake-paddle.ts', import.meta.url).href;

/** What the tests use of the tools' stand-in for Paddle. */
export interface FakePaddle {
  fetch(request: Request): Promise<Response>;
  readonly notifications: readonly { readonly event_type: string; readonly data: object }[];
  readonly requests: readonly string[];
  failNext(...faults: readonly ('none' | 'error' | 'lost-answer' | 'html' | 'silence' | 'busy')[]): void;
  settle(): Promise<readonly object[]>;
  pay(transactionId: string): string;
  failPayment(subscriptionId: string): void;
  payDebt(subscriptionId: string): void;
  pause(subscriptionId: string): void;
  resume(subscriptionId: string): void;
  cancel(subscriptionId: string, when: 'now' | 'period_end'): void;
  changePlan(subscriptionId: string, priceId: string): void;
  endPeriod(subscriptionId: string): void;
}

/** How the stand-in is set up; see its own declaration. */
export interface FakePaddleOptions {
  readonly apiKey: string;
  readonly catalog: readonly {
    readonly priceId: string;
    readonly productName: string;
    readonly priceName?: string;
    readonly status?: 'active' | 'archived';
    readonly interval?: 'month' | 'year' | null;
    readonly customData?: unknown;
    readonly productCustomData?: unknown;
  }[];
  readonly destination?: {
    readonly url: string;
    readonly secrets: readonly string[];
    readonly fetch?: (url: string, init: RequestInit) => Promise<Response>;
    readonly retryMs?: number;
    readonly disturb?: <T>(notifications: readonly T[]) => readonly T[];
  };
  readonly limit?: number;
  readonly retryAfterSeconds?: number;
  readonly silenceMs?: number;
}

/** An account of Paddle in this process. */
export async function createFakePaddle(options: FakePaddleOptions): Promise<FakePaddle> {
  const module = (await import(tools)) as { createFakePaddle(options: FakePaddleOptions): FakePaddle };
  return module.createFakePaddle(options);
}
