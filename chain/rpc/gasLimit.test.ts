import { describe, expect, it } from '@jest/globals';

import { gasLimitFrom, TRANSACTION_GAS_CAP } from './gasLimit.js';

describe('gasLimitFrom', () => {
  it('leaves a quarter and six words that must be filled first', () => {
    expect(gasLimitFrom(200_000n)).toBe(250_000n + 6n * 17_100n);
  });

  it('never asks for more than one transaction may have, unless the call needs it', () => {
    expect(gasLimitFrom(16_000_000n)).toBe(TRANSACTION_GAS_CAP);
    expect(gasLimitFrom(TRANSACTION_GAS_CAP)).toBe(TRANSACTION_GAS_CAP);
    // The node says so better than a limit that must run out.
    expect(gasLimitFrom(TRANSACTION_GAS_CAP + 1n)).toBe(TRANSACTION_GAS_CAP + 1n);
  });
});
