import { CheckoutError } from './checkout-error.ts';

/** The address comes from a server and is handed to the system: `file:` and its like would open programs. */
export function assertWebAddress(url: string, checkoutSessionId: string): void {
  const protocol = URL.canParse(url) ? new URL(url).protocol : 'none';
  // The parser drops line ends and the like, and a terminal does not.
  if ((protocol === 'https:' || protocol === 'http:') && !/[\p{Cc}\p{Cf}\s]/u.test(url)) return;
  const reason = 'it is not a web address';
  throw new CheckoutError('SP_CHECKOUT_BAD_URL', `Refused the payment page of the server: ${reason}`, {
    reason,
    checkoutSessionId,
  });
}
