import { bn254 } from '@noble/curves/bn254.js';
import { concat, encodeAbiParameters, keccak256, type Hex } from 'viem';
import { MatchmakerError } from '../../engine/error.js';

/** A point of G1 as EigenLayer's structs hold it. */
export interface G1Point {
  readonly X: bigint;
  readonly Y: bigint;
}

/** A point of G2 as EigenLayer's structs hold it: each coordinate is [imaginary, real]. */
export interface G2Point {
  readonly X: readonly [bigint, bigint];
  readonly Y: readonly [bigint, bigint];
}

/** What a certificate verifier must know about a generator of one key. */
export interface GeneratorInfo {
  readonly operatorInfoTreeRoot: Hex;
  readonly numOperators: bigint;
  readonly aggregatePubkey: G1Point;
  readonly totalWeights: readonly [bigint];
}

/** The generator's key is not a scalar of BN254's group. */
export class GeneratorKeyInvalidError extends MatchmakerError<'GENERATOR_KEY_INVALID'> {
  constructor() {
    super('GENERATOR_KEY_INVALID', "the generator's key must be between 1 and the order of BN254's group, less one");
  }
}

const { Fp } = bn254.fields;
/** Tells the leaf of an operator from inner nodes of the tree and from leaves of other trees. */
const OPERATOR_INFO_LEAF_SALT = '0x75';
const operatorInfoAbi = [
  {
    type: 'tuple',
    components: [
      {
        name: 'pubkey',
        type: 'tuple',
        components: [
          { name: 'X', type: 'uint256' },
          { name: 'Y', type: 'uint256' },
        ],
      },
      { name: 'weights', type: 'uint256[]' },
    ],
  },
] as const;

/**
 * The generator's public key, the scalar times each generator of the curve.
 * Throws GeneratorKeyInvalidError.
 */
export function generatorPublicKey(key: bigint): { readonly g1: G1Point; readonly g2: G2Point } {
  checkKey(key);
  const g1 = bn254.G1.Point.BASE.multiply(key).toAffine();
  const g2 = bn254.G2.Point.BASE.multiply(key).toAffine();
  return { g1: { X: g1.x, Y: g1.y }, g2: { X: [g2.x.c1, g2.x.c0], Y: [g2.y.c1, g2.y.c0] } };
}

/**
 * The operator table of a generator of one key with weight 1.
 * Throws GeneratorKeyInvalidError.
 */
export function generatorInfo(key: bigint): GeneratorInfo {
  const { g1 } = generatorPublicKey(key);
  const leaf = encodeAbiParameters(operatorInfoAbi, [{ pubkey: g1, weights: [1n] }]);
  return {
    operatorInfoTreeRoot: keccak256(concat([OPERATOR_INFO_LEAF_SALT, leaf])),
    numOperators: 1n,
    aggregatePubkey: g1,
    totalWeights: [1n],
  };
}

/** EigenLayer's hash to the curve: the first x from digest mod p on for which y^2 = x^3 + 3 has a root, with y = (x^3 + 3)^((p + 1) / 4). */
export function hashToG1(digest: Hex): G1Point {
  for (let x = Fp.create(BigInt(digest)); ; x = Fp.add(x, Fp.ONE)) {
    const square = Fp.add(Fp.mul(Fp.sqr(x), x), 3n);
    const y = Fp.pow(square, (Fp.ORDER + 1n) / 4n);
    if (Fp.eql(Fp.sqr(y), square)) return { X: x, Y: y };
  }
}

/**
 * The BN254 signature of a 32-byte digest: the key times the digest's point.
 * Throws GeneratorKeyInvalidError.
 */
export function signDigest(key: bigint, digest: Hex): G1Point {
  checkKey(key);
  const point = hashToG1(digest);
  const signature = bn254.G1.Point.fromAffine({ x: point.X, y: point.Y }).multiply(key).toAffine();
  return { X: signature.x, Y: signature.y };
}

function checkKey(key: bigint): void {
  if (key < 1n || key >= bn254.fields.Fr.ORDER) throw new GeneratorKeyInvalidError();
}
