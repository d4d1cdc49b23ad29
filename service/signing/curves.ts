import { loadBn254, type LoadedBn254 } from './loadBn254.js';
import { loadSecp256k1, type LoadedSecp256k1 } from './secp256k1.js';
import type { Bn254 } from './bn254.js';
import type { Secp256k1 } from './secp256k1.js';

/** Both curves, loaded and tested. */
export interface Curves {
  readonly secp256k1: Secp256k1;
  readonly bn254: Bn254;
}

/** What runs, for the log: a fallback is correct but slow, and is said with its reason. */
export interface CurveReport {
  readonly curve: 'ecdsa' | 'bn254';
  readonly backend: string;
  readonly fallbackReason?: string;
}

let loading: Promise<[LoadedSecp256k1, LoadedBn254]> | undefined;

/** Loads both curves, once a process. `report` hears what is in use. */
export async function loadCurves(report: (report: CurveReport) => void = () => undefined): Promise<Curves> {
  loading ??= loadBn254().then((bn254) => [loadSecp256k1(), bn254]);
  const [secp256k1, bn254] = await loading;
  report({ ...secp256k1, curve: 'ecdsa', backend: secp256k1.curve.backend });
  report({ ...bn254, curve: 'bn254', backend: bn254.curve.backend });
  return { secp256k1: secp256k1.curve, bn254: bn254.curve };
}
