import { MatchmakerError } from '../engine/error.js';
import { parseDecimal } from '../protocol/icl/quantities.js';

/** A text that is no amount of a token. */
export class AmountInvalidError extends MatchmakerError<'AMOUNT_INVALID'> {
  constructor(text: string, decimals: number) {
    super(
      'AMOUNT_INVALID',
      `\`${text}\` is no amount: write a plain decimal number with at most ${decimals} decimals, like 12.5`,
      { metadata: { text, decimals } },
    );
  }
}

/** Token units from an amount in whole tokens. Throws AmountInvalidError, also for more decimals than the token has. */
export function parseAmount(text: string, decimals: number): bigint {
  const units = parseDecimal(text, decimals);
  if (units === null) throw new AmountInvalidError(text, decimals);
  return units;
}

/** An amount in whole tokens from token units, exactly, without needless zeros. */
export function formatAmount(units: bigint, decimals: number): string {
  const digits = units.toString().padStart(decimals + 1, '0');
  const whole = digits.slice(0, digits.length - decimals);
  const fraction = digits.slice(digits.length - decimals).replace(/0+$/, '');
  return fraction === '' ? whole : `${whole}.${fraction}`;
}

/** A price in whole tokens per hour from micro-units per hour. */
export function formatMicro(micro: number): string {
  return formatAmount(BigInt(micro), 6);
}
