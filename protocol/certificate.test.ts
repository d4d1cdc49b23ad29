import { beforeAll, describe, expect, test } from '@jest/globals';
import { bn254 } from '@noble/curves/bn254.js';
import { concat, encodeAbiParameters, keccak256, numberToHex, size, slice, stringToBytes } from 'viem';
import type { Hex } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { bn254CertificateDigest } from './bn254Certificate.js';
import { hashToG1 } from './bn254HashToG1.js';
import { encodeG1, encodeG2, PointInvalidError } from './bn254Points.js';
import {
  canonicalCertificate,
  certificateDigest,
  CertificateMalformedError,
  certificateSigners,
  encodeCertificate,
  joinSignatures,
  quorumDigest,
  SignaturesInvalidError,
} from './certificate.js';
import type { CertificateVote } from './certificate.js';
import type { TableEntry } from './operatorTable.js';

const verifier = '0x00000000000000000000000000000000000000fe';
const messageHash = keccak256('0x01');
const referenceTimestamp = 1_700_000_000;

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
      ['0xda346acb3ce99e7c5132bf8cafb159ad8085970ebfdba78007ef0fe163063d14', referenceTimestamp, messageHash],
    ),
  );
  const digest = keccak256(`0x1901${domain.slice(2)}${certificate.slice(2)}`);
  expect(certificateDigest({ verifier, referenceTimestamp, messageHash })).toBe(digest);
  const fields = { referenceTimestamp, messageHash };
  expect(quorumDigest({ curve: 'ecdsa', certificateVerifier: verifier }, fields)).toBe(digest);
  expect(quorumDigest({ curve: 'bn254', certificateVerifier: verifier }, fields)).toBe(
    bn254CertificateDigest(referenceTimestamp, messageHash),
  );
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

describe('an ECDSA certificate', () => {
  const table = { curve: 'ecdsa', checkedBy: 'table' } as const;
  const eigenlayer = { curve: 'ecdsa', checkedBy: 'eigenlayer' } as const;
  const digest = certificateDigest({ verifier, referenceTimestamp, messageHash });
  const accounts = [1, 2, 3, 4, 5].map((key) => privateKeyToAccount(numberToHex(key, { size: 32 })));
  const entries: TableEntry[] = accounts.map(({ address }, index) => ({
    key: address.toLowerCase() as Hex,
    weight: BigInt(index + 1),
  }));
  let votes: CertificateVote[];

  beforeAll(async () => {
    votes = await Promise.all(
      accounts.map(async (account) => ({ signer: account.address, signature: await account.sign({ hash: digest }) })),
    );
  });

  const signedBy = (...positions: number[]): CertificateVote[] => positions.map((at) => votes[at] as CertificateVote);

  test('for the table has a bitmap and the signatures of 64 bytes in its order', () => {
    const certificate = encodeCertificate(table, entries, signedBy(4, 0, 2));
    expect(size(certificate)).toBe(32 + 3 * 64);
    expect(slice(certificate, 0, 32)).toBe(numberToHex(0b10101, { size: 32 }));
    for (const [index, position] of [0, 2, 4].entries()) {
      const { signature } = votes[position] as CertificateVote;
      const compact = slice(certificate, 32 + 64 * index, 96 + 64 * index);
      expect(slice(compact, 0, 32)).toBe(slice(signature, 0, 32));
      const parityAndS = BigInt(slice(compact, 32));
      expect(numberToHex(parityAndS & (2n ** 255n - 1n), { size: 32 })).toBe(slice(signature, 32, 64));
      expect(27 + Number(parityAndS >> 255n)).toBe(Number(slice(signature, 64)));
    }
    expect(certificateSigners('ecdsa', entries, certificate)).toEqual([0, 2, 4]);
  });

  test('is the same in canonical form whoever checks it', async () => {
    const canonical = encodeCertificate(table, entries, signedBy(1, 3));
    const joined = encodeCertificate(eigenlayer, entries, signedBy(3, 1));
    expect(size(joined)).toBe(2 * 65);
    expect(await canonicalCertificate(eigenlayer, entries, joined, digest)).toBe(canonical);
    expect(await canonicalCertificate(table, entries, canonical, digest)).toBe(canonical);
  });

  test('is of nobody over another digest, and of no stranger', async () => {
    const joined = encodeCertificate(eigenlayer, entries, signedBy(1, 3));
    await expect(canonicalCertificate(eigenlayer, entries, joined, messageHash)).rejects.toThrow(/not in the table/);
    await expect(canonicalCertificate(eigenlayer, entries.slice(0, 2), joined, digest)).rejects.toThrow(
      CertificateMalformedError,
    );
    await expect(canonicalCertificate(eigenlayer, entries, slice(joined, 0, 64), digest)).rejects.toThrow(/byte 0/);
  });

  test('refuses nobody, a stranger, a signer twice and a signature that no verifier takes', () => {
    const [first] = signedBy(0) as [CertificateVote];
    const high = concat([slice(first.signature, 0, 32), `0xff${'00'.repeat(31)}`, '0x1b']);
    const refused: CertificateVote[][] = [
      [],
      [{ ...first, signer: verifier }],
      signedBy(0, 0),
      [{ ...first, signature: slice(first.signature, 0, 64) }],
      [{ ...first, signature: concat([slice(first.signature, 0, 64), '0x01']) }],
      [{ ...first, signature: high }],
    ];
    for (const list of refused) expect(() => encodeCertificate(table, entries, list)).toThrow(SignaturesInvalidError);
  });

  test('in canonical form has no other length and no bit beyond the table', () => {
    const certificate = encodeCertificate(table, entries, signedBy(0, 2));
    for (const bytes of ['0x', slice(certificate, 0, 31), slice(certificate, 0, 96), concat([certificate, '0x00'])]) {
      expect(() => certificateSigners('ecdsa', entries, bytes as Hex)).toThrow(CertificateMalformedError);
    }
    expect(() => certificateSigners('ecdsa', entries.slice(0, 2), certificate)).toThrow(/beyond the table/);
  });
});

describe('a BN254 certificate', () => {
  const table = { curve: 'bn254', checkedBy: 'table' } as const;
  const eigenlayer = { curve: 'bn254', checkedBy: 'eigenlayer' } as const;
  const digest = bn254CertificateDigest(referenceTimestamp, messageHash);
  const { G1, G2 } = bn254;
  const g1Hex = (point: InstanceType<typeof G1.Point>): Hex => {
    const { x, y } = point.toAffine();
    return encodeG1({ X: x, Y: y });
  };
  const g2Hex = (point: InstanceType<typeof G2.Point>): Hex => {
    const { x, y } = point.toAffine();
    return encodeG2({ X: [x.c1, x.c0], Y: [y.c1, y.c0] });
  };
  const message = G1.Point.fromAffine((({ X, Y }) => ({ x: X, y: Y }))(hashToG1(digest)));
  const keys = [11n, 22n, 33n, 44n, 55n];
  const entries: TableEntry[] = keys.map((key, index) => ({
    key: g1Hex(G1.Point.BASE.multiply(key)),
    weight: BigInt(index + 1),
  }));
  const votes: CertificateVote[] = keys.map((key, index) => ({
    signer: entries[index]?.key as Hex,
    g2: g2Hex(G2.Point.BASE.multiply(key)),
    signature: g1Hex(message.multiply(key)),
  }));
  const signedBy = (...positions: number[]): CertificateVote[] => positions.map((at) => votes[at] as CertificateVote);

  test('for the table names those who did not sign, and sums signatures and keys', () => {
    const certificate = encodeCertificate(table, entries, signedBy(3, 0, 2));
    expect(certificate).toBe(
      concat([numberToHex(0b10010, { size: 32 }), g1Hex(message.multiply(88n)), g2Hex(G2.Point.BASE.multiply(88n))]),
    );
    expect(certificateSigners('bn254', entries, certificate)).toEqual([0, 2, 3]);
    expect(certificateSigners('bn254', entries, encodeCertificate(table, entries, votes))).toEqual([0, 1, 2, 3, 4]);
  });

  test('is the same in canonical form whoever checks it', async () => {
    const canonical = encodeCertificate(table, entries, signedBy(0, 2, 3));
    const witnessed = encodeCertificate(eigenlayer, entries, signedBy(3, 2, 0));
    expect(await canonicalCertificate(eigenlayer, entries, witnessed, digest)).toBe(canonical);
    expect(await canonicalCertificate(table, entries, canonical, digest)).toBe(canonical);
    await expect(canonicalCertificate(eigenlayer, entries.slice(0, 4), witnessed, digest)).rejects.toThrow(
      /no operator 4/,
    );
    await expect(canonicalCertificate(eigenlayer, entries, '0x00', digest)).rejects.toThrow(CertificateMalformedError);
  });

  test('refuses a missing key in G2, and points that are none or cancel out', () => {
    const [first] = signedBy(0) as [CertificateVote];
    expect(() => encodeCertificate(table, entries, [{ ...first, g2: undefined }])).toThrow(SignaturesInvalidError);
    expect(() => encodeCertificate(table, entries, [{ ...first, signature: `0x${'01'.repeat(64)}` }])).toThrow(
      PointInvalidError,
    );
    const opposite = { ...(votes[1] as CertificateVote), signature: g1Hex(message.multiply(11n).negate()) };
    expect(() => encodeCertificate(table, entries, [first, opposite])).toThrow(PointInvalidError);
  });
});
