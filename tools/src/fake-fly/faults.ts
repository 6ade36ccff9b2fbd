import { FlyFailure } from './failure.ts';

/** How a request goes wrong. */
export type FaultKind =
  /** An answer with this status, before anything was done. */
  | { readonly status: number; readonly word?: string | undefined; readonly headers?: Readonly<Record<string, string>> }
  /** Everything is done, then this status is answered. */
  | { readonly statusAfterWork: number }
  /** The connection is cut, before or after the work. */
  | { readonly cut: 'before-work' | 'after-work' }
  /** No answer ever comes, before or after the work. */
  | { readonly hang: 'before-work' | 'after-work' };

/** A failure that tests order. */
export interface Fault {
  /** The action that fails: `machine-create`, `volume-create`… */
  readonly action: string;
  readonly fault: FaultKind;
  /** How many requests. @defaultValue 1 */
  readonly times?: number | undefined;
  /** Only for this app. @defaultValue any */
  readonly app?: string | undefined;
}

/** Thrown to cut a connection without an answer. */
export class Cut extends Error {}

export function createFaults() {
  const orders: { readonly fault: Fault; left: number }[] = [];
  const take = (action: string, app: string | undefined): FaultKind | undefined => {
    const order = orders.find(
      ({ fault, left }) => left > 0 && fault.action === action && (fault.app === undefined || fault.app === app),
    );
    if (order === undefined) return undefined;
    order.left -= 1;
    return order.fault.fault;
  };
  return {
    order(fault: Fault): void {
      orders.push({ fault, left: fault.times ?? 1 });
    },
    /** Orders that were not met yet. */
    left: (app?: string) =>
      orders.filter(({ fault }) => app === undefined || fault.app === app).reduce((sum, { left }) => sum + left, 0),
    take,
  };
}

export async function failBefore(fault: FaultKind | undefined, closed: AbortSignal): Promise<void> {
  if (fault === undefined) return;
  if ('status' in fault) {
    const { status, word, headers = {} } = fault;
    throw new FlyFailure(status, `injected failure ${status}`, { word, headers });
  }
  if ('cut' in fault && fault.cut === 'before-work') throw new Cut();
  if ('hang' in fault && fault.hang === 'before-work') await forever(closed);
}

export async function failAfter(fault: FaultKind | undefined, closed: AbortSignal): Promise<void> {
  if (fault === undefined) return;
  if ('statusAfterWork' in fault) {
    throw new FlyFailure(fault.statusAfterWork, `injected failure ${fault.statusAfterWork}, but the work is done`);
  }
  if ('cut' in fault && fault.cut === 'after-work') throw new Cut();
  if ('hang' in fault && fault.hang === 'after-work') await forever(closed);
}

/** Until the server closes. */
function forever(closed: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const end = (): void => reject(new Cut());
    if (closed.aborted) end();
    else closed.addEventListener('abort', end, { once: true });
  });
}
