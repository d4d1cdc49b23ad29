import { decodeErrorResult, keccak256, type Abi, type Address, type Hex } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { gasLimitFrom } from '../rpc/gasLimit.js';
import { RpcAnswerError, type Rpc } from '../rpc/rpc.js';
import { callAt, estimateGas, sendRawTransaction, transactionCount, type Receipt } from '../rpc/rpcCall.js';
import { TransactionRevertedError } from '../submission/submission.js';
import type { MinedBlocks } from './minedBlocks.js';

/** One transaction of a lane. */
export interface LaneTransaction {
  /** Absent for the creation of a contract. */
  readonly to?: Address;
  readonly data: Hex;
  readonly valueWei?: bigint;
  /** Estimated against the newest block, plus a fifth, when absent; needed when it depends on transactions still under way. */
  readonly gasLimit?: bigint;
  /** For error messages. */
  readonly label: string;
  /** Decodes the custom error when it reverts. */
  readonly errorsAbi?: Abi;
}

/** A transaction that the node has taken. */
export interface SentTransaction {
  readonly hash: Hex;
  readonly nonce: number;
  /** When it was handed to the node, milliseconds of the lane's clock. */
  readonly sentAtMs: number;
  /** Resolves with the receipt once mined. Rejects with TransactionRevertedError. */
  readonly mined: Promise<Receipt>;
}

export interface LaneOptions {
  readonly chainId: number;
  readonly privateKey: Hex;
  /** Wei per gas. */
  readonly priorityFeePerGas: bigint;
  /** Highest fee offered, wei per gas; twice the newest base fee plus the priority fee when that is less. */
  readonly maxFeePerGas: bigint;
}

export interface LaneDependencies {
  readonly rpc: Rpc;
  readonly blocks: MinedBlocks;
  /** Milliseconds. */
  readonly now: () => number;
}

/**
 * Sends many transactions of one key at a time, numbered here and signed here, in the order of the calls.
 * Keeps no journal and replaces nothing: for deployments and devnets, where the sender can start over.
 */
export class TransactionLane {
  readonly address: Address;
  readonly #options: LaneOptions;
  readonly #dependencies: LaneDependencies;
  readonly #account: ReturnType<typeof privateKeyToAccount>;
  #nonce: number | undefined;
  #tail: Promise<unknown> = Promise.resolve();

  constructor(options: LaneOptions, dependencies: LaneDependencies) {
    this.#options = options;
    this.#dependencies = dependencies;
    this.#account = privateKeyToAccount(options.privateKey);
    this.address = this.#account.address;
  }

  /** The nonce that the next transaction of this lane gets, counting those already sent. */
  async nextNonce(): Promise<number> {
    this.#nonce ??= await this.#dependencies.rpc.request(transactionCount(this.address));
    return this.#nonce;
  }

  /**
   * Hands a transaction to the node and resolves when it has taken it.
   * Throws RpcAnswerError when the node refuses it or when the estimate reverts, RpcUnavailableError when it can not be reached.
   */
  send(transaction: LaneTransaction): Promise<SentTransaction> {
    const sent = this.#tail.then(() => this.#send(transaction));
    this.#tail = sent.catch(() => undefined);
    return sent;
  }

  /** Sends a transaction and waits for its receipt. Throws as `send`, and TransactionRevertedError. */
  async run(transaction: LaneTransaction): Promise<Receipt> {
    const { mined } = await this.send(transaction);
    return mined;
  }

  async #send(transaction: LaneTransaction): Promise<SentTransaction> {
    const { chainId, priorityFeePerGas, maxFeePerGas } = this.#options;
    const { rpc, blocks, now } = this.#dependencies;
    const gas = transaction.gasLimit ?? (await this.#estimate(transaction));
    const nonce = await this.nextNonce();
    const wanted = blocks.head().baseFeePerGas * 2n + priorityFeePerGas;
    const raw = await this.#account.signTransaction({
      type: 'eip1559',
      chainId,
      nonce,
      gas,
      maxFeePerGas: wanted < maxFeePerGas ? wanted : maxFeePerGas,
      maxPriorityFeePerGas: priorityFeePerGas,
      data: transaction.data,
      value: transaction.valueWei ?? 0n,
      ...(transaction.to === undefined ? {} : { to: transaction.to }),
    });
    // The block may be seen before the node's answer to sending is, so waiting begins first.
    const hash = keccak256(raw);
    const mined = blocks.receiptOf(hash).then((receipt) => this.#checked(transaction, receipt));
    // Whoever sent it may look at the outcome later or never.
    mined.catch(() => undefined);
    const sentAtMs = now();
    try {
      await rpc.request(sendRawTransaction(raw));
    } catch (error) {
      blocks.forget(hash, error);
      throw error;
    }
    this.#nonce = nonce + 1;
    return { hash, nonce, sentAtMs, mined };
  }

  async #estimate(transaction: LaneTransaction): Promise<bigint> {
    const used = await this.#dependencies.rpc.request(
      estimateGas({
        from: this.address,
        data: transaction.data,
        ...(transaction.to === undefined ? {} : { to: transaction.to }),
      }),
    );
    return gasLimitFrom(used);
  }

  async #checked(transaction: LaneTransaction, receipt: Receipt): Promise<Receipt> {
    if (receipt.succeeded) return receipt;
    const data = await this.#revertData(transaction);
    throw new TransactionRevertedError(transaction.label, receipt, decodeError(transaction.errorsAbi, data), data);
  }

  /** Why it reverted, asked again on the newest state; null when it would pass there. */
  async #revertData(transaction: LaneTransaction): Promise<Hex | null> {
    if (transaction.to === undefined) return null;
    try {
      await this.#dependencies.rpc.request(
        callAt({ from: this.address, to: transaction.to, data: transaction.data }, 'latest'),
      );
      return null;
    } catch (error) {
      return error instanceof RpcAnswerError ? error.data : null;
    }
  }
}

function decodeError(abi: Abi | undefined, data: Hex | null): { name: string; args: readonly unknown[] } | null {
  if (abi === undefined || data === null) return null;
  try {
    const { errorName, args } = decodeErrorResult({ abi, data });
    return { name: errorName, args: args ?? [] };
  } catch {
    return null;
  }
}
