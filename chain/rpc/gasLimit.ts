/** Most gas one transaction may name (EIP-7825). */
export const TRANSACTION_GAS_CAP = 16_777_216n;
/** Room for a path that the clock or another transaction opens between estimate and block. */
const MARGIN_PERCENT = 25n;
/**
 * Room for storage that the estimate found filled, because nodes estimate on the pending block, by transactions that come after this one in
 * the end: six words at the 17,100 gas that filling one costs more than changing it.
 */
const MARGIN_GAS = 6n * 17_100n;

/**
 * Gas limit to send a call with whose estimate was `estimate` gas. What is not used is not paid for, and what runs out is paid for nothing.
 *
 * @example
 * gasLimitFrom(200_000n); // 352_600n
 */
export function gasLimitFrom(estimate: bigint): bigint {
  const limit = estimate + (estimate * MARGIN_PERCENT) / 100n + MARGIN_GAS;
  if (limit <= TRANSACTION_GAS_CAP) return limit;
  return estimate > TRANSACTION_GAS_CAP ? estimate : TRANSACTION_GAS_CAP;
}
