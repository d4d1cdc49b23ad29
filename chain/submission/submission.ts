import type { Abi, Address, Hex } from 'viem';
import { MatchmakerError } from '../../engine/error.js';
import type { Receipt } from '../rpc/rpcCall.js';

/** One transaction to bring into the chain. */
export interface SubmissionRequest {
  readonly to: Address;
  readonly data: Hex;
  /** Estimated once when not given. */
  readonly gasLimit?: bigint;
  /** Last block in which inclusion is of use; after it the nonce is freed by a no-op. */
  readonly deadlineBlock?: number;
  /** For logs, metrics and the journal, for example `settle round 12`. */
  readonly label: string;
  /** Wei per gas; default is the submitter's own. */
  readonly priorityFeePerGas?: bigint;
  /** Decodes the custom error when the transaction reverts. */
  readonly errorsAbi?: Abi;
  /** Shares the outcome of a transaction of the same label to the same receiver that is under way, for example since before a restart. */
  readonly isUnique?: boolean;
}

export type SubmissionResult =
  | { readonly status: 'mined'; readonly hash: Hex; readonly receipt: Receipt; readonly replacements: number }
  /** The deadline passed and nothing of it was mined. */
  | { readonly status: 'lapsed'; readonly deadlineBlock: number };

/** The transaction was mined and reverted; `errorName` is the contract's custom error where it could be decoded. */
export class TransactionRevertedError extends MatchmakerError<'TRANSACTION_REVERTED'> {
  readonly errorName: string | null;
  readonly receipt: Receipt;

  constructor(
    label: string,
    receipt: Receipt,
    error: { name: string; args: readonly unknown[] } | null,
    data: Hex | null,
  ) {
    const named = error === null ? (data ?? 'no reason') : `${error.name}(${error.args.map(String).join(', ')})`;
    super('TRANSACTION_REVERTED', `${label}: transaction ${receipt.transactionHash} reverted with ${named}`, {
      metadata: {
        label,
        hash: receipt.transactionHash,
        blockNumber: receipt.blockNumber,
        errorName: error?.name ?? null,
        data,
      },
    });
    this.errorName = error?.name ?? null;
    this.receipt = receipt;
  }
}

/** The submitting key can not pay for the transaction. */
export class UnfundedKeyError extends MatchmakerError<'UNFUNDED_KEY'> {
  constructor(label: string, address: Address, balance: bigint, needed: bigint) {
    super('UNFUNDED_KEY', `${label}: ${address} holds ${balance} wei and needs ${needed}: send it funds`, {
      metadata: { label, address, balance: balance.toString(), needed: needed.toString() },
      retryable: true,
    });
  }
}

/** The transaction might cost more than the period's spend cap leaves. */
export class SpendCapReachedError extends MatchmakerError<'SPEND_CAP_REACHED'> {
  constructor(label: string, spent: bigint, cost: bigint, cap: bigint) {
    super(
      'SPEND_CAP_REACHED',
      `${label}: up to ${cost} wei on top of ${spent} spent in this period or under way exceed the cap of ${cap}`,
      {
        metadata: { label, spent: spent.toString(), cost: cost.toString(), cap: cap.toString() },
        retryable: true,
      },
    );
  }
}

/** The chain's base fee leaves no room for the priority fee under the configured highest fee. */
export class FeeCapReachedError extends MatchmakerError<'FEE_CAP_REACHED'> {
  constructor(label: string, needed: bigint, cap: bigint) {
    super('FEE_CAP_REACHED', `${label}: the chain asks ${needed} wei per gas, the cap is ${cap}`, {
      metadata: { label, needed: needed.toString(), cap: cap.toString() },
      retryable: true,
    });
  }
}

/** The node refused the transaction for a reason that sending again will not cure. */
export class TransactionRefusedError extends MatchmakerError<'TRANSACTION_REFUSED'> {
  constructor(label: string, reason: string, cause?: unknown) {
    super('TRANSACTION_REFUSED', `${label}: the node refused the transaction: ${reason}`, {
      metadata: { label },
      cause,
    });
  }
}

/** The submitter was stopped while the transaction was under way; after the next start it is followed to its end. */
export class SubmitterStoppedError extends MatchmakerError<'SUBMITTER_STOPPED'> {
  constructor(label: string) {
    super('SUBMITTER_STOPPED', `${label}: the submitter was stopped`, { metadata: { label }, retryable: true });
  }
}

export interface SubmitterOptions {
  /** Where signed transactions are stored before they are sent; one file a key and chain. */
  readonly journalFile: string;
  readonly chainId: number;
  /** Highest fee ever offered, wei per gas. */
  readonly maxFeePerGas: bigint;
  /** Wei per gas. */
  readonly priorityFeePerGas: bigint;
  /** Transactions under way at a time, each at the nonce after the one before; more wait. Default 1. */
  readonly maxPending?: number;
  /** Blocks without inclusion after which fees are raised by an eighth. Default 2. */
  readonly replaceAfterBlocks?: number;
  /** Most that may be spent within `spendPeriodSeconds`, wei. */
  readonly spendCapWei: bigint;
  readonly spendPeriodSeconds: number;
  readonly pollIntervalMs: number;
}

/** Something worth a log line and a counter. */
export type SubmitterEvent =
  | {
      readonly kind: 'sent';
      readonly label: string;
      readonly hash: Hex;
      readonly nonce: number;
      readonly replacement: number;
    }
  | { readonly kind: 'cancelling'; readonly label: string; readonly hash: Hex; readonly nonce: number }
  | { readonly kind: 'nonceTaken'; readonly label: string; readonly nonce: number }
  | { readonly kind: 'resumed'; readonly label: string; readonly nonce: number; readonly outcome: string }
  | { readonly kind: 'unreachable'; readonly label: string; readonly reason: string };
