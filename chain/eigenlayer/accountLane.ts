import { keccak256, type Address, type Hex } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { MatchmakerError } from '../../engine/error.js';
import type { LaneTransaction } from '../deploy/transactionLane.js';
import { gasLimitFrom } from '../rpc/gasLimit.js';
import { RpcAnswerError, type Rpc } from '../rpc/rpc.js';
import {
  callAt,
  estimateGas,
  latestBlock,
  maxPriorityFee,
  pendingTransactionCount,
  sendRawTransaction,
  transactionReceipt,
  type Receipt,
} from '../rpc/rpcCall.js';
import { TransactionRevertedError } from '../submission/submission.js';
import { decodeEigenError } from './eigenCall.js';

/** A transaction was sent, and no receipt came in time. It may still be mined: look for its hash before sending another. */
export class StakeTransactionPendingError extends MatchmakerError<'TRANSACTION_PENDING'> {
  constructor(label: string, hash: Hex, timeoutMs: number) {
    super(
      'TRANSACTION_PENDING',
      `${label}: transaction ${hash} was sent, but not mined in ${timeoutMs} ms; look for it before sending it again`,
      { metadata: { label, hash, timeoutMs } },
    );
  }
}

export interface AccountLaneOptions {
  readonly chainId: number;
  readonly privateKey: Hex;
  /** How long a transaction is waited for, milliseconds. Default ten minutes. */
  readonly receiptTimeoutMs?: number;
  /** Milliseconds between looks for the receipt. */
  readonly pollIntervalMs: number;
}

export interface AccountLaneDependencies {
  readonly rpc: Rpc;
  /** Monotonic milliseconds. */
  readonly nowMs: () => number;
  readonly sleep: (milliseconds: number) => Promise<void>;
}

const DEFAULT_RECEIPT_TIMEOUT_MS = 600_000;

/**
 * Sends one transaction after another with a person's key to a chain that is not ours: nonce and fees as the node tells
 * them, each awaited by its receipt before the next begins.
 */
export class AccountLane {
  readonly address: Address;
  readonly #options: AccountLaneOptions;
  readonly #dependencies: AccountLaneDependencies;
  readonly #account: ReturnType<typeof privateKeyToAccount>;

  constructor(options: AccountLaneOptions, dependencies: AccountLaneDependencies) {
    this.#options = options;
    this.#dependencies = dependencies;
    this.#account = privateKeyToAccount(options.privateKey);
    this.address = this.#account.address;
  }

  /** The nonce of the account's next transaction. Throws the errors of the RPC. */
  nextNonce(): Promise<number> {
    return this.#dependencies.rpc.request(pendingTransactionCount(this.address));
  }

  /** As `run`, for what would send on before its transaction is mined: here it is mined when this resolves. Throws as `run`. */
  async send(transaction: LaneTransaction): Promise<{ readonly mined: Promise<Receipt> }> {
    const receipt = await this.run(transaction);
    return { mined: Promise.resolve(receipt) };
  }

  /**
   * Sends a transaction and waits until it is mined. Throws RpcAnswerError when the node refuses it or its estimate reverts,
   * TransactionRevertedError when it reverted all the same, StakeTransactionPendingError and RpcUnavailableError.
   */
  async run(transaction: LaneTransaction): Promise<Receipt> {
    const { rpc } = this.#dependencies;
    const call = {
      from: this.address,
      data: transaction.data,
      ...(transaction.to === undefined ? {} : { to: transaction.to }),
    };
    const [used, nonce, priorityFee, head] = await rpc.batch([
      estimateGas(call),
      pendingTransactionCount(this.address),
      maxPriorityFee(),
      latestBlock(),
    ]);
    const raw = await this.#account.signTransaction({
      type: 'eip1559',
      chainId: this.#options.chainId,
      nonce,
      gas: transaction.gasLimit ?? gasLimitFrom(used),
      maxFeePerGas: head.baseFeePerGas * 2n + priorityFee,
      maxPriorityFeePerGas: priorityFee,
      data: transaction.data,
      value: transaction.valueWei ?? 0n,
      ...(transaction.to === undefined ? {} : { to: transaction.to }),
    });
    const hash = keccak256(raw);
    await rpc.request(sendRawTransaction(raw));
    const receipt = await this.#receiptOf(hash, transaction.label);
    if (receipt.succeeded) return receipt;
    const data = await this.#revertData(call);
    throw new TransactionRevertedError(transaction.label, receipt, data === null ? null : decodeEigenError(data), data);
  }

  async #receiptOf(hash: Hex, label: string): Promise<Receipt> {
    const { pollIntervalMs, receiptTimeoutMs = DEFAULT_RECEIPT_TIMEOUT_MS } = this.#options;
    const { rpc, nowMs, sleep } = this.#dependencies;
    const deadline = nowMs() + receiptTimeoutMs;
    for (;;) {
      const receipt = await rpc.request(transactionReceipt(hash));
      if (receipt !== null) return receipt;
      if (nowMs() > deadline) throw new StakeTransactionPendingError(label, hash, receiptTimeoutMs);
      await sleep(pollIntervalMs);
    }
  }

  /** Why it reverted, asked again on the newest state; null when it would pass there. */
  async #revertData(call: { from: Address; to?: Address; data: Hex }): Promise<Hex | null> {
    if (call.to === undefined) return null;
    try {
      await this.#dependencies.rpc.request(callAt({ from: call.from, to: call.to, data: call.data }, 'latest'));
      return null;
    } catch (error) {
      return error instanceof RpcAnswerError ? error.data : null;
    }
  }
}
