import type { Address, Hex } from 'viem';

import type { Bn254PublicKey } from './bn254.js';
import type { Curves } from './curves.js';

/** One thing to be found out about signatures; plain data, so that another thread can do it. */
export type VerificationTask =
  | { readonly kind: 'recover'; readonly digest: Hex; readonly signature: Hex }
  | { readonly kind: 'keysMatch'; readonly key: Bn254PublicKey }
  | {
      readonly kind: 'verify';
      readonly digest: Hex;
      readonly signatures: readonly Hex[];
      readonly g2Keys: readonly Hex[];
    };

/** The address recovered, or whether the check holds. */
export type VerificationResult = Address | boolean | undefined;

/** Work of a task, in recoveries: a pairing takes some hundred times as long as a recovery. */
export function costOf(task: VerificationTask): number {
  return task.kind === 'recover' ? 1 : 100;
}

/** Does a task on this thread. */
export function verifyTask(task: VerificationTask, { secp256k1, bn254 }: Curves): VerificationResult {
  if (task.kind === 'recover') return secp256k1.recover(task.digest, task.signature);
  if (task.kind === 'keysMatch') return bn254.keysMatch(task.key);
  return bn254.verify(task.digest, task.signatures, task.g2Keys);
}
