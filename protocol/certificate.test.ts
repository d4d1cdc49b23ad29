import { describe, expect, test } from '@jest/globals';
import { encodeAbiParameters, keccak256, stringToBytes } from 'viem';
import type { Hex } from 'viem';
import { certificateDigest, joinSignatures, SignaturesInvalidError } from './certificate.js';

const verifier = '0x00000000000000000000000000000000000000fe';
const messageHash = keccak256('0x01');

test('the digest is the EIP-712 hash in a domain without chain id', () => {
  const domain = keccak256(
    encodeAbiParameters(
      [{ type: 'bytes32' }, { type: 'bytes32' }, { type: 'bytes32' }, { type: 'address' }],
      [
        keccak256(stringToBytes('EIP712Domain(string name,string version,address verifyingContract)')),
        keccak256(stringToBytes('EigenLayer')),
        keccak256(stringToBytes('1')),
        verifier,
      ],
    ),
  );
  const certificate = keccak256(
    encodeAbiParameters(
      [{ type: 'bytes32' }, { type: 'uint32' }, { type: 'bytes32' }],
      ['0xda346acb3ce99e7c5132bf8cafb159ad8085970ebfdba78007ef0fe163063d14', 1_700_000_000, messageHash],
    ),
  );
  const digest = keccak256(`0x1901${domain.slice(2)}${certificate.slice(2)}`);
  expect(certificateDigest({ verifier, referenceTimestamp: 1_700_000_000, messageHash })).toBe(digest);
});

describe('joinSignatures', () => {
  const signatureOf = (byte: string): Hex => `0x${byte.repeat(65)}`;
  const low = { signer: '0x00000000000000000000000000000000000000aB', signature: signatureOf('01') } as const;
  const high = { signer: '0xF000000000000000000000000000000000000000', signature: signatureOf('02') } as const;

  test('orders by signer, whatever the case of its letters', () => {
    const middle = { signer: '0x00000000000000000000000000000000000000Ac', signature: signatureOf('03') } as const;
    expect(joinSignatures([high, middle, low])).toBe(`0x${'01'.repeat(65)}${'03'.repeat(65)}${'02'.repeat(65)}`);
  });

  test.each([
    ['a signer twice', [low, { signer: '0x00000000000000000000000000000000000000ab', signature: signatureOf('05') }]],
    ['64 bytes', [{ ...low, signature: `0x${'01'.repeat(64)}` }]],
    ['no hex', [{ ...low, signature: '0xzz' }]],
  ] as const)('refuses %s', (_, signatures) => {
    expect(() => joinSignatures(signatures)).toThrow(SignaturesInvalidError);
  });
});
