import { randomBytes } from 'node:crypto';
import { bytesToHex, type Hex } from 'viem';
import { generateBn254Secret } from '../service/bn254Keystore.js';
import { javascriptBn254 } from '../service/signing/bn254Javascript.js';
import { loadCurves } from '../service/signing/curves.js';
import { javascriptSecp256k1 } from '../service/signing/secp256k1.js';
import { VerificationPool } from '../service/signing/verificationPool.js';
import type { Figure } from './figure.js';

const RECOVERIES = 400;
const QUORUMS = [20, 200];
const REPETITIONS = 7;

/**
 * Recovering ECDSA signatures by both implementations and by the threads that an aggregator uses, and verifying a quorum of BLS
 * signatures at once beside one by one. Each pair is measured in turn. Throws when they disagree, or the fast libraries are missing.
 */
export async function benchSignatures(): Promise<Figure[]> {
  const curves = await loadCurves(({ curve, backend, fallbackReason }) => {
    if (fallbackReason !== undefined) throw new Error(`${curve} runs on ${backend}: ${fallbackReason}`);
  });
  return [...(await benchRecovery(curves)), ...benchQuorums(curves)];
}

type Curves = Awaited<ReturnType<typeof loadCurves>>;

async function benchRecovery(curves: Curves): Promise<Figure[]> {
  const { secp256k1: native } = curves;
  const slow = javascriptSecp256k1();
  const digest = bytesToHex(randomBytes(32));
  const signatures = Array.from({ length: RECOVERIES }, () => native.sign(digest, bytesToHex(randomBytes(32))));
  const pool = new VerificationPool(
    { queueLimit: RECOVERIES },
    {
      curves,
      onWorkerLost: (reason) => {
        throw new Error(`no worker thread: ${reason}`);
      },
    },
  );
  await pool.started();
  const seconds: { native: number[]; slow: number[]; pool: number[] } = { native: [], slow: [], pool: [] };
  for (let repetition = 0; repetition < REPETITIONS; repetition++) {
    const [byNative, nativeSeconds] = timed(() => signatures.map((signature) => native.recover(digest, signature)));
    const [bySlow, slowSeconds] = timed(() => signatures.map((signature) => slow.recover(digest, signature)));
    const start = performance.now();
    const byPool = await Promise.all(signatures.map((signature) => pool.recover(digest, signature, 'bench')));
    const poolSeconds = (performance.now() - start) / 1000;
    if (String(byNative) !== String(bySlow) || String(byNative) !== String(byPool)) {
      throw new Error('the implementations recover different signers');
    }
    seconds.native.push(nativeSeconds);
    seconds.slow.push(slowSeconds);
    seconds.pool.push(poolSeconds);
  }
  const workers = pool.workers;
  await pool.stop();
  const perSecond = (times: number[]): number => RECOVERIES / median(times);
  const setting = `${RECOVERIES} signatures, address included, median of ${REPETITIONS}`;
  return [
    { name: 'ECDSA recovery, libsecp256k1', value: perSecond(seconds.native), unit: 'signatures/s', setting },
    { name: 'ECDSA recovery, JavaScript', value: perSecond(seconds.slow), unit: 'signatures/s', setting: 'same run' },
    {
      name: 'libsecp256k1 over JavaScript',
      value: median(seconds.slow) / median(seconds.native),
      unit: 'x',
      setting: 'same run',
    },
    {
      name: "ECDSA recovery, through the aggregator's threads",
      value: perSecond(seconds.pool),
      unit: 'signatures/s',
      setting: `same run, ${workers} ${workers === 1 ? 'thread' : 'threads'}`,
    },
  ];
}

function benchQuorums({ bn254 }: Curves): Figure[] {
  const digest = bytesToHex(randomBytes(32));
  const signers = Array.from({ length: Math.max(...QUORUMS) }, () => {
    const secret = generateBn254Secret();
    return { signature: bn254.sign(digest, secret), g2: bn254.publicKey(secret).g2 };
  });
  const figures = QUORUMS.flatMap((size) => {
    const quorum = signers.slice(0, size);
    const signatures: Hex[] = quorum.map(({ signature }) => signature);
    const keys: Hex[] = quorum.map(({ g2 }) => g2);
    const together: number[] = [];
    const single: number[] = [];
    for (let repetition = 0; repetition < REPETITIONS; repetition++) {
      const [holds, seconds] = timed(() => bn254.verify(digest, signatures, keys));
      const [eachHolds, eachSeconds] = timed(() =>
        quorum.every(({ signature, g2 }) => bn254.verify(digest, [signature], [g2])),
      );
      if (!holds || !eachHolds) throw new Error('a valid signature does not verify');
      together.push(seconds);
      single.push(eachSeconds);
    }
    const setting = `${size} signatures over one batch, median of ${REPETITIONS}`;
    return [
      { name: `BLS quorum of ${size}, one pairing`, value: 1000 * median(together), unit: 'ms', setting },
      { name: `BLS quorum of ${size}, one by one`, value: 1000 * median(single), unit: 'ms', setting: 'same run' },
      { name: 'one by one over one pairing', value: median(single) / median(together), unit: 'x', setting: 'same run' },
    ];
  });
  const slow = javascriptBn254();
  const [first] = signers;
  if (first === undefined) throw new Error('no signers');
  const pairings: { wasm: number[]; slow: number[] } = { wasm: [], slow: [] };
  for (let repetition = 0; repetition < REPETITIONS; repetition++) {
    pairings.wasm.push(timed(() => bn254.verify(digest, [first.signature], [first.g2]))[1]);
    pairings.slow.push(timed(() => slow.verify(digest, [first.signature], [first.g2]))[1]);
  }
  return [
    ...figures,
    {
      name: 'BLS verification in JavaScript over mcl',
      value: median(pairings.slow) / median(pairings.wasm),
      unit: 'x',
      setting: 'one signature, same run',
    },
  ];
}

function timed<Result>(work: () => Result): [Result, number] {
  const start = performance.now();
  const result = work();
  return [result, (performance.now() - start) / 1000];
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
