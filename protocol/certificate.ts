import { concat, decodeAbiParameters, encodeAbiParameters, hashTypedData, isHex, numberToHex, size, slice } from 'viem';
import { recoverAddress } from 'viem';
import type { Address, Hex } from 'viem';
import { MatchmakerError } from '../engine/error.js';
import { bn254CertificateDigest } from './bn254Certificate.js';
import { decodeG1, decodeG2, encodeG1, encodeG2, sumG1, sumG2 } from './bn254Points.js';
import { operatorInfoParameter, operatorInfoProof } from './operatorInfoTree.js';
import { MAX_OPERATORS } from './operatorTable.js';
import type { Curve, TableEntry } from './operatorTable.js';

/** Which of the four forms a certificate has: curve of the keys, and who checks it on the chain. */
export interface QuorumKind {
  readonly curve: Curve;
  readonly checkedBy: 'eigenlayer' | 'table';
}

/** The certificate that operators of an ECDSA set sign. */
export interface CertificateFields {
  /** The verifier contract. */
  readonly verifier: Address;
  /** The operator table's reference timestamp, seconds. */
  readonly referenceTimestamp: number;
  readonly messageHash: Hex;
}

/** One operator's ECDSA signature over a certificate digest. */
export interface SignerSignature {
  /** The signing key's address. */
  readonly signer: Hex;
  /** r, s, v: 65 bytes. */
  readonly signature: Hex;
}

/** One operator's share of a certificate. */
export interface CertificateVote {
  /** The signing key as the table has it: 20 bytes for ECDSA, 64 for BN254. */
  readonly signer: Hex;
  /** BN254: the key in G2, X imaginary, X real, Y imaginary, Y real, 128 bytes. */
  readonly g2?: Hex | undefined;
  /** ECDSA: r, s, v, 65 bytes. BN254: a point of G1, 64 bytes. */
  readonly signature: Hex;
}

/** Signatures that no verifier would take. */
export class SignaturesInvalidError extends MatchmakerError<'SIGNATURES_INVALID'> {
  constructor(problem: string, signer: Hex) {
    super('SIGNATURES_INVALID', `signature of ${signer}: ${problem}`, { metadata: { problem, signer } });
  }
}

/** Bytes that are no certificate of their kind over the table. */
export class CertificateMalformedError extends MatchmakerError<'CERTIFICATE_MALFORMED'> {
  constructor(problem: string, options: { cause?: unknown } = {}) {
    super('CERTIFICATE_MALFORMED', `certificate: ${problem}`, { metadata: { problem }, ...options });
  }
}

/** EIP-712 fields of the certificate, in order. */
export const certificateTypes = {
  ECDSACertificate: [
    { name: 'referenceTimestamp', type: 'uint32' },
    { name: 'messageHash', type: 'bytes32' },
  ],
} as const;

const WORD_BYTES = 32;
const ECDSA_BYTES = 65;
const COMPACT_BYTES = 64;
const G1_BYTES = 64;
const G2_BYTES = 128;
const PARITY_BIT = 1n << 255n;

/** EigenLayer's BN254 certificate without what the batch says already: signature, apk, witnesses of those who did not sign. */
const eigenBn254Parameters = [
  { type: 'tuple', components: operatorInfoParameter.components[0].components },
  {
    type: 'tuple',
    components: [
      { name: 'X', type: 'uint256[2]' },
      { name: 'Y', type: 'uint256[2]' },
    ],
  },
  {
    type: 'tuple[]',
    components: [
      { name: 'operatorIndex', type: 'uint32' },
      { name: 'operatorInfoProof', type: 'bytes' },
      { name: 'operatorInfo', ...operatorInfoParameter },
    ],
  },
] as const;

/** The digest that operators of an ECDSA set sign: ECDSACertificate in the domain 'EigenLayer', '1' of the verifier, which names no chain. */
export function certificateDigest({ verifier, referenceTimestamp, messageHash }: CertificateFields): Hex {
  return hashTypedData({
    domain: { name: 'EigenLayer', version: '1', verifyingContract: verifier },
    types: certificateTypes,
    primaryType: 'ECDSACertificate',
    message: { referenceTimestamp, messageHash },
  });
}

/** The digest that operators sign, by their curve. */
export function quorumDigest(
  quorum: { readonly curve: Curve; readonly certificateVerifier: Address },
  certificate: Omit<CertificateFields, 'verifier'>,
): Hex {
  const { referenceTimestamp, messageHash } = certificate;
  return quorum.curve === 'ecdsa'
    ? certificateDigest({ verifier: quorum.certificateVerifier, referenceTimestamp, messageHash })
    : bn254CertificateDigest(referenceTimestamp, messageHash);
}

/**
 * The certificate of `votes` over the table `entries`, as settlement's quorum verifier takes it.
 * Throws SignaturesInvalidError for no vote at all, a signer that is not in the table or occurs twice, a signature of another length or
 * a missing G2 key; PointInvalidError for points that are none.
 */
export function encodeCertificate(
  quorum: QuorumKind,
  entries: readonly TableEntry[],
  votes: readonly CertificateVote[],
): Hex {
  const voteOf = votesByPosition(entries, votes);
  if (quorum.curve === 'ecdsa') {
    const signed = [...voteOf].sort(([a], [b]) => a - b);
    if (quorum.checkedBy === 'eigenlayer') return joinSignatures(signed.map(([, vote]) => vote));
    return concat([
      bitmapOf(signed.map(([position]) => position)),
      ...signed.map(([, { signer, signature }]) => compactSignature(signer, signature)),
    ]);
  }
  const absent = entries.flatMap((_, position) => (voteOf.has(position) ? [] : [position]));
  const signature = sumG1(votes.map((vote) => decodeG1(vote.signature)));
  const apk = sumG2(
    votes.map(({ g2, signer }) => {
      if (g2 === undefined) throw new SignaturesInvalidError('its key in G2 is missing', signer);
      return decodeG2(g2);
    }),
  );
  if (quorum.checkedBy === 'table') return concat([bitmapOf(absent), encodeG1(signature), encodeG2(apk)]);
  return encodeAbiParameters(eigenBn254Parameters, [
    signature,
    apk,
    absent.map((operatorIndex) => {
      const { key, weight } = entryAt(entries, operatorIndex);
      return {
        operatorIndex,
        operatorInfoProof: operatorInfoProof(entries, operatorIndex),
        operatorInfo: { pubkey: decodeG1(key), weights: [weight] },
      };
    }),
  ]);
}

/**
 * The canonical form, which the judge takes, of a settled certificate of any kind over the table `entries`. ECDSA signatures in
 * EigenLayer's form are recovered over `digest` to find whose they are; nothing else is verified. Throws CertificateMalformedError.
 */
export async function canonicalCertificate(
  quorum: QuorumKind,
  entries: readonly TableEntry[],
  certificate: Hex,
  digest: Hex,
): Promise<Hex> {
  if (quorum.checkedBy === 'table') {
    certificateSigners(quorum.curve, entries, certificate);
    return certificate;
  }
  if (quorum.curve === 'bn254') {
    const [signature, apk, witnesses] = decodeEigenBn254(certificate);
    return concat([
      bitmapOf(witnesses.map(({ operatorIndex }) => positionIn(entries, operatorIndex))),
      encodeG1(signature),
      encodeG2(apk),
    ]);
  }
  const positions = new Map(entries.map(({ key }, position) => [key.toLowerCase(), position]));
  const signed: [number, Hex][] = [];
  for (let start = 0; start < size(certificate); start += ECDSA_BYTES) {
    const signature = slice(certificate, start, Math.min(start + ECDSA_BYTES, size(certificate)));
    const signer = await recoverAddress({ hash: digest, signature }).catch((cause: unknown) => {
      throw new CertificateMalformedError(`no signature at byte ${start}`, { cause });
    });
    const position = positions.get(signer.toLowerCase());
    if (position === undefined) throw new CertificateMalformedError(`${signer} is not in the table`);
    signed.push([position, compactSignature(signer, signature)]);
  }
  signed.sort(([a], [b]) => a - b);
  return concat([bitmapOf(signed.map(([position]) => position)), ...signed.map(([, compact]) => compact)]);
}

/** Positions in the table of those who signed a canonical certificate, ascending. Throws CertificateMalformedError. */
export function certificateSigners(curve: Curve, entries: readonly TableEntry[], canonical: Hex): number[] {
  if (!isHex(canonical) || size(canonical) < WORD_BYTES) throw new CertificateMalformedError('it has no bitmap');
  const bitmap = BigInt(slice(canonical, 0, WORD_BYTES));
  if (bitmap >> BigInt(entries.length) !== 0n)
    throw new CertificateMalformedError('it names operators beyond the table');
  const isSet = (position: number): boolean => ((bitmap >> BigInt(position)) & 1n) === 1n;
  const signers = entries.flatMap((_, position) => (isSet(position) === (curve === 'ecdsa') ? [position] : []));
  const bytes = WORD_BYTES + (curve === 'ecdsa' ? COMPACT_BYTES * signers.length : G1_BYTES + G2_BYTES);
  if (size(canonical) !== bytes) throw new CertificateMalformedError(`it is not ${bytes} bytes long`);
  return signers;
}

/**
 * A certificate's signatures, concatenated by ascending signer as EigenLayer's ECDSA verifier requires.
 * Throws SignaturesInvalidError for a signer that occurs twice or a signature that is not 65 bytes.
 */
export function joinSignatures(signatures: readonly SignerSignature[]): Hex {
  const ascending = signatures
    .map(({ signer, signature }) => ({ signer, signature, order: BigInt(signer) }))
    .sort((a, b) => (a.order < b.order ? -1 : a.order > b.order ? 1 : 0));
  ascending.forEach(({ signer, signature, order }, index) => {
    checkEcdsaLength(signer, signature);
    if (index > 0 && ascending[index - 1]!.order === order) throw new SignaturesInvalidError('it occurs twice', signer);
  });
  return concat(ascending.map(({ signature }) => signature));
}

function votesByPosition(
  entries: readonly TableEntry[],
  votes: readonly CertificateVote[],
): ReadonlyMap<number, CertificateVote> {
  if (votes.length === 0) throw new SignaturesInvalidError('there is none', '0x');
  const positions = new Map(entries.map(({ key }, position) => [key.toLowerCase(), position]));
  const byPosition = new Map<number, CertificateVote>();
  for (const vote of votes) {
    const position = positions.get(vote.signer.toLowerCase());
    if (position === undefined) throw new SignaturesInvalidError('it is not in the table', vote.signer);
    if (byPosition.has(position)) throw new SignaturesInvalidError('it occurs twice', vote.signer);
    byPosition.set(position, vote);
  }
  return byPosition;
}

/** r and yParityAndS of EIP-2098, 64 bytes. */
function compactSignature(signer: Hex, signature: Hex): Hex {
  checkEcdsaLength(signer, signature);
  const s = BigInt(slice(signature, WORD_BYTES, 2 * WORD_BYTES));
  const v = Number(slice(signature, 2 * WORD_BYTES));
  if (v !== 27 && v !== 28) throw new SignaturesInvalidError('its v is neither 27 nor 28', signer);
  if (s >= PARITY_BIT) throw new SignaturesInvalidError('its s is not the lower one', signer);
  const parityAndS = v === 28 ? s | PARITY_BIT : s;
  return concat([slice(signature, 0, WORD_BYTES), numberToHex(parityAndS, { size: WORD_BYTES })]);
}

function checkEcdsaLength(signer: Hex, signature: Hex): void {
  if (!isHex(signature) || size(signature) !== ECDSA_BYTES) {
    throw new SignaturesInvalidError(`it is not ${ECDSA_BYTES} bytes of hex`, signer);
  }
}

/** Bit i for position i, bit 0 the lowest, 32 bytes. */
function bitmapOf(positions: readonly number[]): Hex {
  const bitmap = positions.reduce((bits, position) => {
    if (position >= MAX_OPERATORS) throw new CertificateMalformedError(`no bit for operator ${position}`);
    return bits | (1n << BigInt(position));
  }, 0n);
  return numberToHex(bitmap, { size: WORD_BYTES });
}

function decodeEigenBn254(certificate: Hex) {
  try {
    return decodeAbiParameters(eigenBn254Parameters, certificate);
  } catch (cause) {
    throw new CertificateMalformedError('it is not signature, apk and witnesses', { cause });
  }
}

function positionIn(entries: readonly TableEntry[], position: number): number {
  if (position >= entries.length) throw new CertificateMalformedError(`there is no operator ${position}`);
  return position;
}

function entryAt(entries: readonly TableEntry[], position: number): TableEntry {
  const entry = entries[position];
  if (entry === undefined) throw new CertificateMalformedError(`there is no operator ${position}`);
  return entry;
}
