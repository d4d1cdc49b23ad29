import { parseTransaction } from 'viem';
import type { Abi, Hex } from 'viem';
import type { SentEntry } from './nonceJournal.js';
import type { SubmissionResult } from './submission.js';

/** One signed form of a transaction: the first, a replacement with higher fees, or the no-op. */
export interface Attempt {
  readonly hash: Hex;
  readonly raw: Hex;
  readonly cancels: boolean;
  readonly maxFeePerGas: bigint;
  readonly priorityFeePerGas: bigint;
}

/** What a flight brings into the chain, and by when. */
export interface FlightPlan {
  readonly label: string;
  readonly nonce: number;
  readonly call: { readonly to: Hex; readonly data: Hex; readonly gasLimit: bigint };
  readonly deadlineBlock: number | null;
  errorsAbi: Abi | null;
}

/** A nonce that is being brought to an end. */
export interface Flight extends FlightPlan {
  readonly attempts: Attempt[];
  /** How it ended; null when another transaction took the nonce. */
  readonly result: Promise<SubmissionResult | null>;
  readonly resolve: (result: SubmissionResult | null) => void;
  readonly reject: (error: unknown) => void;
  /** Signed and sent for the first time just now by whoever asked for it. */
  isLaunching: boolean;
  /** Block at which the last attempt was sent; null when it is not known to have reached the node. */
  sentAtBlock: number | null;
  /** Looks in a row that saw the nonce used but no receipt of ours. */
  takenLooks: number;
}

/** Gas of the no-op that uses up a nonce. */
export const CANCEL_GAS = 21_000n;

/** A flight of which nothing was signed yet, or only `attempts`. */
export function newFlight(plan: FlightPlan, attempts: readonly Attempt[] = []): Flight {
  let resolve: Flight['resolve'] = () => undefined;
  let reject: Flight['reject'] = () => undefined;
  const result = new Promise<SubmissionResult | null>((resolved, rejected) => {
    resolve = resolved;
    reject = rejected;
  });
  // Nobody may be waiting yet, or any more.
  result.catch(() => undefined);
  return {
    ...plan,
    attempts: [...attempts],
    result,
    resolve,
    reject,
    isLaunching: false,
    sentAtBlock: null,
    takenLooks: 0,
  };
}

/** Flights of what a journal holds that has not ended, by nonce: call and fees are in the raw bytes. */
export function flightsFrom(pending: readonly SentEntry[]): Flight[] {
  const nonces = [...new Set(pending.map(({ nonce }) => nonce))].toSorted((a, b) => a - b);
  return nonces.flatMap((nonce) => {
    const entries = pending.filter((entry) => entry.nonce === nonce);
    const [first] = entries;
    if (first === undefined) return [];
    const { to, data, gas } = parseTransaction(first.raw);
    const { label, deadlineBlock } = first;
    const call = { to: to ?? '0x', data: data ?? '0x', gasLimit: gas ?? 0n } as const;
    return newFlight({ label, nonce, call, deadlineBlock, errorsAbi: null }, entries.map(attemptFrom));
  });
}

function attemptFrom({ hash, raw, cancels }: SentEntry): Attempt {
  const { maxFeePerGas, maxPriorityFeePerGas } = parseTransaction(raw);
  return { hash, raw, cancels, maxFeePerGas: maxFeePerGas ?? 0n, priorityFeePerGas: maxPriorityFeePerGas ?? 0n };
}

/** The newest form of a flight's transaction. Throws TypeError before the first was signed. */
export function lastOf({ attempts }: Flight): Attempt {
  const last = attempts.at(-1);
  if (last === undefined) throw new TypeError('nothing was signed for the nonce');
  return last;
}

/** Most that a flight may cost by what was signed, wei. */
export function reservedWei({ call, attempts }: Flight): bigint {
  return attempts.reduce((most, { cancels, maxFeePerGas }) => {
    const cost = (cancels ? CANCEL_GAS : call.gasLimit) * maxFeePerGas;
    return cost > most ? cost : most;
  }, 0n);
}
