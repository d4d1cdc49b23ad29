import { createRequire } from 'node:module';

import type * as Mcl from 'mcl-wasm';
import { concat, padHex, size, slice, type Hex } from 'viem';

import { Bn254KeyInvalidError } from '../../protocol/bn254Key.js';
import { BN254_FIELD, BN254_ORDER } from '../../protocol/bn254Points.js';
import type { Bn254 } from './bn254.js';

/** EIP-197's generator of G2: X real, X imaginary, Y real, Y imaginary. */
const GENERATOR_G2 = [
  10857046999023057135944570762232829481370756359578518086990519993285655852781n,
  11559732032986387107991004021392285783925812861821192530917403151452391805634n,
  8495653923123431417604973247489272438418190587263600148770280649306958101930n,
  4082367875863433681332203403145435568316851327593401208105741076214120093531n,
] as const;

/** BN254 by mcl, in WebAssembly. Throws when the package is missing or cannot be started. */
export async function wasmBn254(): Promise<Bn254> {
  const mcl = createRequire(import.meta.url)('mcl-wasm') as typeof Mcl;
  await mcl.init(mcl.BN_SNARK1);
  // Lying on the curve is checked point by point, the order of G2 once a key.
  mcl.verifyOrderG1(false);
  mcl.verifyOrderG2(false);
  return new WasmBn254(mcl);
}

class WasmBn254 implements Bn254 {
  readonly backend = 'wasm';
  readonly #mcl: typeof Mcl;
  readonly #one: Mcl.Fp;
  readonly #three: Mcl.Fp;
  readonly #rootExponent: Mcl.Fp;
  readonly #generatorG1: Mcl.G1;
  readonly #generatorG2: Mcl.G2;
  readonly #generatorG2Lines: Mcl.PrecomputedG2;

  constructor(mcl: typeof Mcl) {
    this.#mcl = mcl;
    this.#one = this.#fp(1n);
    this.#three = this.#fp(3n);
    this.#rootExponent = this.#fp((BN254_FIELD + 1n) / 4n);
    this.#generatorG1 = this.#affineG1(this.#fp(1n), this.#fp(2n));
    this.#generatorG2 = this.#affineG2(GENERATOR_G2.map((coordinate) => this.#fp(coordinate)));
    this.#generatorG2Lines = new mcl.PrecomputedG2(this.#generatorG2);
  }

  publicKey(secret: Hex): { g1: Hex; g2: Hex } {
    const scalar = this.#scalar(secret);
    const g2 = this.#mcl.mul(this.#generatorG2, scalar);
    g2.normalize();
    const [x, y] = [g2.getX(), g2.getY()];
    return {
      g1: this.#writeG1(this.#mcl.mul(this.#generatorG1, scalar)),
      g2: concat([x.get_b(), x.get_a(), y.get_b(), y.get_a()].map(writeFp)),
    };
  }

  sign(digest: Hex, secret: Hex): Hex {
    return this.#writeG1(this.#mcl.mul(this.#hashToG1(digest), this.#scalar(secret)));
  }

  keysMatch(key: { g1: Hex; g2: Hex }): boolean {
    const g1 = this.#readG1(key.g1);
    const g2 = this.#readG2(key.g2);
    if (g1 === undefined || g2 === undefined || !g2.isValidOrder()) return false;
    return this.#pairsEqual(g1, this.#generatorG1, g2);
  }

  verify(digest: Hex, signatures: readonly Hex[], g2Keys: readonly Hex[]): boolean {
    if (signatures.length !== g2Keys.length) return false;
    const signature = this.#sum(signatures.map((bytes) => this.#readG1(bytes)));
    const key = this.#sum(g2Keys.map((bytes) => this.#readG2(bytes)));
    if (signature === undefined || key === undefined) return false;
    return this.#pairsEqual(signature, this.#hashToG1(digest), key);
  }

  /** Whether e(a, generator of G2) is e(b, b2). */
  #pairsEqual(a: Mcl.G1, b: Mcl.G1, b2: Mcl.G2): boolean {
    const lines = this.#mcl.precomputedMillerLoop2mixed(b, b2, this.#mcl.neg(a), this.#generatorG2Lines);
    return this.#mcl.finalExp(lines).isOne();
  }

  /** As protocol/bn254HashToG1. */
  #hashToG1(digest: Hex): Mcl.G1 {
    const { mul, sqr, add, pow } = this.#mcl;
    for (let x = this.#fp(BigInt(digest) % BN254_FIELD); ; x = add(x, this.#one)) {
      const square = add(mul(sqr(x), x), this.#three);
      const y = pow(square, this.#rootExponent);
      if (sqr(y).isEqual(square)) return this.#affineG1(x, y);
    }
  }

  #sum<Point extends Mcl.G1 | Mcl.G2>(points: readonly (Point | undefined)[]): Point | undefined {
    let sum: Point | undefined;
    for (const point of points) {
      if (point === undefined) return undefined;
      sum = sum === undefined ? point : this.#mcl.add(sum, point);
    }
    return sum === undefined || sum.isZero() ? undefined : sum;
  }

  #readG1(bytes: Hex): Mcl.G1 | undefined {
    const coordinates = this.#readCoordinates(bytes, 64);
    if (coordinates === undefined) return undefined;
    const [x, y] = coordinates as [Mcl.Fp, Mcl.Fp];
    const point = this.#affineG1(x, y);
    return point.isValid() ? point : undefined;
  }

  #readG2(bytes: Hex): Mcl.G2 | undefined {
    const coordinates = this.#readCoordinates(bytes, 128);
    if (coordinates === undefined) return undefined;
    const [xImaginary, xReal, yImaginary, yReal] = coordinates as [Mcl.Fp, Mcl.Fp, Mcl.Fp, Mcl.Fp];
    const point = this.#affineG2([xReal, xImaginary, yReal, yImaginary]);
    return point.isValid() ? point : undefined;
  }

  /** Coordinates of 32 bytes each; undefined for another length, for one not below the field's order, and for infinity. */
  #readCoordinates(bytes: Hex, length: number): Mcl.Fp[] | undefined {
    if (size(bytes) !== length) return undefined;
    const coordinates: bigint[] = [];
    for (let start = 0; start < length; start += 32) coordinates.push(BigInt(slice(bytes, start, start + 32)));
    if (coordinates.some((value) => value >= BN254_FIELD) || coordinates.every((value) => value === 0n))
      return undefined;
    return coordinates.map((value) => this.#fp(value));
  }

  #writeG1(point: Mcl.G1): Hex {
    point.normalize();
    return concat([writeFp(point.getX()), writeFp(point.getY())]);
  }

  #affineG1(x: Mcl.Fp, y: Mcl.Fp): Mcl.G1 {
    const point = new this.#mcl.G1();
    point.setX(x);
    point.setY(y);
    point.setZ(this.#one);
    return point;
  }

  /** From X real, X imaginary, Y real, Y imaginary. */
  #affineG2(coordinates: readonly Mcl.Fp[]): Mcl.G2 {
    const [xReal, xImaginary, yReal, yImaginary] = coordinates as [Mcl.Fp, Mcl.Fp, Mcl.Fp, Mcl.Fp];
    const point = new this.#mcl.G2();
    point.setX(this.#fp2(xReal, xImaginary));
    point.setY(this.#fp2(yReal, yImaginary));
    point.setZ(this.#fp2(this.#one, this.#fp(0n)));
    return point;
  }

  #fp2(real: Mcl.Fp, imaginary: Mcl.Fp): Mcl.Fp2 {
    const element = new this.#mcl.Fp2();
    element.set_a(real);
    element.set_b(imaginary);
    return element;
  }

  #fp(value: bigint): Mcl.Fp {
    const element = new this.#mcl.Fp();
    element.setStr(value.toString(16), 16);
    return element;
  }

  #scalar(secret: Hex): Mcl.Fr {
    const value = BigInt(secret);
    if (value === 0n || value >= BN254_ORDER) throw new Bn254KeyInvalidError();
    const scalar = new this.#mcl.Fr();
    scalar.setStr(value.toString(16), 16);
    return scalar;
  }
}

function writeFp(element: Mcl.Fp): Hex {
  return padHex(`0x${element.getStr(16)}`, { size: 32 });
}
