import type { Hex } from 'viem';
import type { Policy } from '../../engine/policy.js';
import type { Snapshot } from '../../engine/snapshot.js';
import type { TableEntry } from '../../protocol/operatorTable.js';
import type { Deployment } from '../deployment.js';
import type { Rpc } from '../rpc/rpc.js';

/** Everything a round's result depends on, as it was in block B(round). */
export interface RoundContext {
  readonly round: number;
  readonly snapshotBlock: number;
  /** B(round + 1): the last block that may settle the round. */
  readonly nextSnapshotBlock: number;
  /** `snapshot.market` is the follower's live market: it is at B(round) until onRound returns, and changes after. */
  readonly snapshot: Snapshot;
  readonly policy: Policy;
  readonly policyHash: Hex;
  readonly seed: Hex;
  readonly table: {
    /** Seconds since 1970: the reference timestamp of the certificate. */
    readonly timestamp: number;
    readonly hash: Hex;
    readonly totalWeight: bigint;
    readonly entries: readonly TableEntry[];
  };
  readonly lastSettledRound: number;
  readonly operatorSetKey: Hex;
  readonly openOrderCount: number;
}

/** Why a node signs nothing for a round. */
export type AbstainReason =
  /** The facts this node followed are not those the contracts folded: a log was lost or forged. A resync follows. */
  | 'FACTS_MISMATCH'
  /** The round's policy names rules this engine does not implement. */
  | 'RULES_VERSION'
  /** Settlement has recorded no operator table for the round. */
  | 'NO_TABLE'
  /** The verifier's operator table is not the one settlement recorded. */
  | 'TABLE_MISMATCH'
  /** The node's RPC could not answer what the round needs before its successor closed. */
  | 'RPC_UNAVAILABLE';

export interface FollowedBlock {
  readonly number: number;
  readonly hash: Hex;
  /** Seconds since 1970. */
  readonly timestamp: number;
  /** The round that is open in the block, 0 for none. */
  readonly openRound: number;
}

export interface Reorg {
  /** The last block both chains share. */
  readonly commonBlock: number;
  /** How many followed blocks were taken back. */
  readonly depth: number;
  readonly oldHeadHash: Hex;
  readonly newHeadHash: Hex;
}

export interface RoundFollowerOptions {
  readonly deployment: Deployment;
  /** `proof` verifies Merkle proofs against the block's header; `storage` trusts the node's storage answers. */
  readonly factsCheck: 'proof' | 'storage';
  readonly pollIntervalMs: number;
  /** Blocks that can be rolled back; a deeper reorg is answered by a full resync. Default 256. */
  readonly maxReorgBlocks?: number;
}

export interface RoundFollowerDependencies {
  readonly rpc: Rpc;
  /** Called synchronously with the state at B(r), after every check passed. */
  readonly onRound: (context: RoundContext) => void;
  readonly onAbstain: (round: number, reason: AbstainReason, detail: string) => void;
  readonly onBlock?: (block: FollowedBlock) => void;
  readonly onReorg?: (reorg: Reorg) => void;
  readonly onSettled?: (round: number, messageHash: Hex, blockNumber: number, blockHash: Hex) => void;
  /** Said once when the chain can not be followed (`error` given), and once when it can again. */
  readonly onReachable?: (reachable: boolean, error?: Error) => void;
  /** Said when the whole history is read again, with the reason. */
  readonly onResync?: (reason: string) => void;
  /** Asks to be woken at a new head; returns how to stop. A hint only: polling goes on. */
  readonly watchHeads?: (wake: () => void) => () => void;
  readonly sleep?: (milliseconds: number) => Promise<void>;
  /** 0 <= random() < 1, for the jitter of the backoff. */
  readonly random?: () => number;
}

export interface FollowerStatus {
  readonly headBlock: number;
  readonly headHash: Hex;
  readonly openRound: number;
  readonly caughtUp: boolean;
  /** Blocks between the newest head seen and the last one applied. */
  readonly lagBlocks: number;
  readonly lastError?: string;
}
