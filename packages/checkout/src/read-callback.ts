import type { CheckoutResponse } from '@sp/cloud-api';
import { plainText } from './plain-text.ts';

/** What a callback says. */
export type CheckoutCallback =
  | { readonly kind: 'declined'; readonly reason: string }
  | { readonly kind: 'completed'; readonly tenantId: string }
  | { readonly kind: 'pending' }
  | { readonly kind: 'invalid'; readonly problem: string };

/**
 * Reads the query of a callback. Any web page can send the browser to a loopback address, so a result counts only with
 * the ids of this very checkout, which no other page knows. An `error` is believed without them, as the payment page
 * sends it: the flow ends, and can be resumed.
 */
export function readCallback(query: URLSearchParams, checkout: CheckoutResponse): CheckoutCallback {
  const [error, status, tenantId] = ['error', 'status', 'tenant_id'].map((name) => query.get(name) ?? '');
  const transactionId = query.get('transaction_id') ?? '';
  const sessionId = query.get('checkout_session_id') ?? '';
  if (transactionId !== '' && transactionId !== checkout.transactionId) return invalid('it is about another payment');
  if (sessionId !== '' && sessionId !== checkout.checkoutSessionId) return invalid('it is about another checkout');
  if (error) return { kind: 'declined', reason: plainText(error) };
  if (transactionId === '' && sessionId === '') return invalid('it names no payment');
  if (!status) return invalid('it has no `status`');
  if (status === 'pending') return { kind: 'pending' };
  if (status !== 'completed') return { kind: 'declined', reason: plainText(status) };
  return tenantId && transactionId ? { kind: 'completed', tenantId } : invalid('it names no tenant');
}

function invalid(problem: string): CheckoutCallback {
  return { kind: 'invalid', problem };
}
