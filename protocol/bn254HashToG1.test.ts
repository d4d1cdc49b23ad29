import { expect, test } from '@jest/globals';
import { keccak256, stringToHex } from 'viem';

import { hashToG1 } from './bn254HashToG1.js';

test('skips x without a point, as the verifier contract does', () => {
  expect(hashToG1(keccak256(stringToHex('vector 1')))).toEqual({
    X: 10784125993868102147484783054767832135079676704652766797751398872607729635349n,
    Y: 7726953634420265741441675104044872169621305291976060009725449344728144006280n,
  });
});

test('takes a digest above the field modulus', () => {
  expect(hashToG1(`0x${'ff'.repeat(32)}`)).toEqual({
    X: 6350874878119819312338956282401532409788428879151445726012394534686998597020n,
    Y: 9382425333525343773979589293970912874995880615911074345993039062358358671562n,
  });
});
