import { MatchmakerError } from '../../engine/error.js';

/** A storage word or record has bits set where its layout has none, or holds a value that no contract writes. */
export class WordMalformedError extends MatchmakerError<'WORD_MALFORMED'> {
  constructor(kind: string, problem: string, word: bigint) {
    super('WORD_MALFORMED', `${kind} word is malformed: ${problem}`, {
      metadata: { kind, problem, word: `0x${word.toString(16)}` },
    });
  }
}

/** A value does not fit the bits that its word has for it. */
export class WordFieldInvalidError extends MatchmakerError<'WORD_FIELD_INVALID'> {
  constructor(kind: string, field: string, value: number | bigint, rule: string) {
    super('WORD_FIELD_INVALID', `${kind} word: ${field} is ${value}, must be ${rule}`, {
      metadata: { kind, field, value: String(value), rule },
    });
  }
}

/** Lowest bit and width of one field. */
export type BitRange = readonly [low: number, width: number];

/** Reads and writes all fields of one kind of word; bits of no field must be zero. */
export interface WordLayout<NumberField extends string, WideField extends string> {
  encode(fields: Readonly<Record<NumberField, number> & Record<WideField, bigint>>): bigint;
  decode(word: bigint): Record<NumberField, number> & Record<WideField, bigint>;
}

const WORD_MODULUS = 1n << 256n;

/**
 * Builds the codec of a 256-bit word from its fields' bit ranges: `numbers` (at most 48 bits) come as numbers, `wides` as bigints.
 * `encode` throws WordFieldInvalidError for a value outside its range, `decode` throws WordMalformedError for set spare bits.
 */
export function wordLayout<NumberField extends string, WideField extends string = never>(
  kind: string,
  numbers: Readonly<Record<NumberField, BitRange>>,
  wides?: Readonly<Record<WideField, BitRange>>,
): WordLayout<NumberField, WideField> {
  const plans = [...plansOf(numbers, false), ...plansOf(wides ?? {}, true)];
  const used = plans.reduce((mask, plan) => mask | (plan.mask << plan.low), 0n);
  return {
    encode(fields) {
      let word = 0n;
      for (const plan of plans) {
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the names come from the two range tables
        const value: number | bigint = fields[plan.name as NumberField | WideField];
        const isValid =
          typeof value === 'bigint'
            ? value >= 0n && value <= plan.mask
            : Number.isSafeInteger(value) && value >= 0 && value <= plan.max;
        if (!isValid) {
          throw new WordFieldInvalidError(kind, plan.name, value, `an integer from 0 to ${plan.mask}`);
        }
        word |= BigInt(value) << plan.low;
      }
      return word;
    },
    decode(word) {
      if (word < 0n || word >= WORD_MODULUS) throw new WordMalformedError(kind, 'it is not 256 bits', word);
      if ((word & ~used) !== 0n) throw new WordMalformedError(kind, 'spare bits are set', word);
      const fields: Record<string, number | bigint> = {};
      for (const plan of plans) {
        const value = (word >> plan.low) & plan.mask;
        fields[plan.name] = plan.isWide ? value : Number(value);
      }
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- every name of both range tables was just written
      return fields as Record<NumberField, number> & Record<WideField, bigint>;
    },
  };
}

interface FieldPlan {
  readonly name: string;
  readonly low: bigint;
  readonly mask: bigint;
  readonly max: number;
  readonly isWide: boolean;
}

function plansOf(ranges: Readonly<Record<string, BitRange>>, isWide: boolean): FieldPlan[] {
  return Object.entries(ranges).map(([name, [low, width]]) => {
    const mask = (1n << BigInt(width)) - 1n;
    return { name, low: BigInt(low), mask, max: Number(mask), isWide };
  });
}
