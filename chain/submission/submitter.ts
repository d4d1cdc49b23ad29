import { decodeErrorResult, keccak256, parseTransaction } from 'viem';
import type { Abi, Hex, LocalAccount } from 'viem';
import { MatchmakerError } from '../../engine/error.js';
import { RpcAnswerError } from '../rpc/rpc.js';
import type { Rpc } from '../rpc/rpc.js';
import {
  balanceOf,
  blockByHash,
  callAt,
  estimateGas,
  latestBlock,
  sendRawTransaction,
  transactionCount,
  transactionReceipt,
} from '../rpc/rpcCall.js';
import type { Block, Receipt } from '../rpc/rpcCall.js';
import { NonceJournal } from './nonceJournal.js';
import type { DoneEntry, SentEntry } from './nonceJournal.js';
import {
  FeeCapReachedError,
  SpendCapReachedError,
  SubmitterStoppedError,
  TransactionRefusedError,
  TransactionRevertedError,
  UnfundedKeyError,
} from './submission.js';
import type { SubmissionRequest, SubmissionResult, SubmitterEvent, SubmitterOptions } from './submission.js';

export interface SubmitterDependencies {
  readonly rpc: Rpc;
  readonly account: LocalAccount;
  readonly onEvent?: (event: SubmitterEvent) => void;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/** One signed form of a transaction: the first, a replacement with higher fees, or the no-op. */
interface Attempt {
  readonly hash: Hex;
  readonly raw: Hex;
  readonly cancels: boolean;
  readonly maxFeePerGas: bigint;
  readonly priorityFeePerGas: bigint;
}

/** What the chain said of the key before a transaction was asked for. */
interface Prepared {
  readonly validUntilMs: number;
  /** Null when the node did not answer. */
  readonly reading: Promise<readonly [Block, number, bigint] | null>;
}

/** A nonce that is being brought to an end. */
interface Flight {
  readonly label: string;
  readonly nonce: number;
  readonly call: { readonly to: Hex; readonly data: Hex; readonly gasLimit: bigint };
  readonly deadlineBlock: number | null;
  readonly errorsAbi: Abi | null;
  readonly attempts: Attempt[];
  /** Block at which the last attempt was sent; null when it is not known to have reached the node. */
  sentAtBlock: number | null;
  /** Polls in a row that saw the nonce used but no receipt of ours. */
  takenPolls: number;
}

const DEFAULT_REPLACE_AFTER_BLOCKS = 2;
const CANCEL_GAS = 21_000n;
/** Receipts may lag the account's count by a few polls. */
const TAKEN_POLLS = 5;

/**
 * Brings transactions of one key into the chain, one at a time: stored before sent, replaced at the same nonce with higher fees
 * when they do not get in, freed by a no-op after their deadline, and after a crash followed to their end by asking the chain first.
 */
export class Submitter {
  readonly #options: SubmitterOptions;
  readonly #rpc: Rpc;
  readonly #account: LocalAccount;
  readonly #emit: (event: SubmitterEvent) => void;
  readonly #now: () => number;
  #journal: NonceJournal | null = null;
  #tail: Promise<unknown> = Promise.resolve();
  #stopped = false;
  #wake: () => void = () => {};
  /** Transactions that were asked for and have not ended. */
  #unfinished = 0;
  #prepared: Prepared | null = null;

  constructor(options: SubmitterOptions, dependencies: SubmitterDependencies) {
    this.#options = options;
    this.#rpc = dependencies.rpc;
    this.#account = dependencies.account;
    this.#emit = dependencies.onEvent ?? (() => {});
    this.#now = dependencies.now ?? Date.now;
  }

  /**
   * Opens the journal and takes up what was under way when the last process ended; what comes of it is told as a `resumed` event.
   * Throws JournalCorruptError.
   */
  async start(): Promise<void> {
    const { journalFile: file, chainId, spendPeriodSeconds } = this.#options;
    const address = this.#account.address;
    this.#journal = await NonceJournal.open({ file, chainId, address, keepMs: spendPeriodSeconds * 1000 }, this.#now());
    const flight = flightFrom(this.#journal.pending);
    if (flight === null) return;
    const { label, nonce } = flight;
    this.#unfinished++;
    this.#tail = this.#drive(flight)
      .finally(() => this.#unfinished--)
      .then(
        (result) => this.#emit({ kind: 'resumed', label, nonce, outcome: result?.status ?? 'taken' }),
        (error: unknown) =>
          this.#emit({
            kind: 'resumed',
            label,
            nonce,
            outcome: error instanceof MatchmakerError ? error.code : String(error),
          }),
      );
  }

  /** Stops following; what is under way is left to the next start. Pending `submit` calls throw SubmitterStoppedError. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wake();
    await this.#tail;
    await this.#journal?.close();
  }

  /**
   * Brings a transaction into the chain, after those submitted before it. Resolves when it is mined and succeeded, or when its
   * deadline passed without it. Throws TransactionRevertedError, UnfundedKeyError, SpendCapReachedError, FeeCapReachedError,
   * TransactionRefusedError, SubmitterStoppedError, JournalClosedError, and what the RPC throws before anything was signed.
   */
  submit(request: SubmissionRequest): Promise<SubmissionResult> {
    this.#unfinished++;
    const result = this.#tail.then(() => this.#submit(request)).finally(() => this.#unfinished--);
    this.#tail = result.catch(() => {});
    return result;
  }

  /**
   * Asks for nonce, balance and fees now, so that a transaction with a gas limit that is submitted within `validMs` goes out without waiting
   * for them. Does nothing while another is under way, which would change them.
   */
  prepare(validMs: number): void {
    if (this.#unfinished > 0 || this.#stopped) return;
    const reading = this.#rpc.batch(this.#accountCalls()).catch((error: unknown) => {
      if (isRpcFailure(error)) return null;
      throw error;
    });
    // Whoever submits next hears of it; when nobody does it is of no account.
    reading.catch(() => undefined);
    this.#prepared = { validUntilMs: this.#now() + validMs, reading };
  }

  /** Tells that the chain has a new block: what is under way is looked for at once. */
  headMoved(): void {
    this.#wake();
  }

  #accountCalls() {
    const { address } = this.#account;
    return [latestBlock(), transactionCount(address), balanceOf(address)] as const;
  }

  /** What was asked for in advance, if it still holds; it serves one transaction. */
  async #takePrepared(): Promise<readonly [Block, number, bigint] | null> {
    const prepared = this.#prepared;
    this.#prepared = null;
    return prepared === null || this.#now() > prepared.validUntilMs ? null : prepared.reading;
  }

  async #submit(request: SubmissionRequest): Promise<SubmissionResult> {
    for (;;) {
      if (this.#stopped) throw new SubmitterStoppedError(request.label);
      const { to, data, label } = request;
      const prepared = await this.#takePrepared();
      const [block, nonce, balance, estimate] =
        request.gasLimit === undefined || prepared === null
          ? await this.#rpc.batch([
              ...this.#accountCalls(),
              ...(request.gasLimit === undefined ? [estimateGas({ from: this.#account.address, to, data })] : []),
            ] as const)
          : prepared;
      if (request.deadlineBlock !== undefined && block.number >= request.deadlineBlock) {
        return { status: 'lapsed', deadlineBlock: request.deadlineBlock };
      }
      const flight: Flight = {
        label,
        nonce,
        call: { to, data, gasLimit: request.gasLimit ?? estimate ?? 0n },
        deadlineBlock: request.deadlineBlock ?? null,
        errorsAbi: request.errorsAbi ?? null,
        attempts: [],
        sentAtBlock: null,
        takenPolls: 0,
      };
      const priorityFeePerGas = request.priorityFeePerGas ?? this.#options.priorityFeePerGas;
      const fees = this.#firstFees(label, block, priorityFeePerGas);
      this.#requireFunds(flight, fees.maxFeePerGas, balance);
      await this.#sign(flight, fees, false);
      await this.#send(flight, block.number);
      const result = await this.#drive(flight);
      if (result !== null) return result;
    }
  }

  /** Follows a nonce to its end; null when another transaction took it. */
  async #drive(flight: Flight): Promise<SubmissionResult | null> {
    let silent = true;
    for (;;) {
      if (this.#stopped) throw new SubmitterStoppedError(flight.label);
      try {
        const [block, count, ...receipts] = await this.#rpc.batch([
          latestBlock(),
          transactionCount(this.#account.address),
          ...flight.attempts.map(({ hash }) => transactionReceipt(hash)),
        ] as const);
        const receipt = receipts.find((one) => one !== null);
        if (receipt !== undefined) return await this.#finish(flight, receipt);
        if (count > flight.nonce) {
          flight.takenPolls += 1;
          if (flight.takenPolls >= TAKEN_POLLS) return await this.#yieldNonce(flight);
        } else {
          flight.takenPolls = 0;
          await this.#push(flight, block);
        }
        silent = true;
      } catch (error) {
        if (!isRpcFailure(error)) throw error;
        if (silent) this.#emit({ kind: 'unreachable', label: flight.label, reason: error.message });
        silent = false;
      }
      await this.#pause();
    }
  }

  /** Sends what has not reached the node, raises fees, or gives up by a no-op, whichever is due. */
  async #push(flight: Flight, block: Block): Promise<void> {
    const last = lastOf(flight);
    const isLate = flight.deadlineBlock !== null && block.number >= flight.deadlineBlock;
    const isStuck =
      flight.sentAtBlock !== null &&
      block.number - flight.sentAtBlock >= (this.#options.replaceAfterBlocks ?? DEFAULT_REPLACE_AFTER_BLOCKS);
    if (isStuck || (isLate && !last.cancels)) {
      const fees = this.#raisedFees(last, block);
      // At the cap the old form is sent again: the node may have dropped it.
      if (fees !== null) await this.#sign(flight, fees, isLate || last.cancels);
    } else if (flight.sentAtBlock !== null) {
      return;
    }
    await this.#send(flight, block.number);
  }

  async #sign(
    flight: Flight,
    fees: { maxFeePerGas: bigint; priorityFeePerGas: bigint },
    cancels: boolean,
  ): Promise<void> {
    const { to, data, gasLimit } = flight.call;
    const raw = await this.#account.signTransaction({
      type: 'eip1559',
      chainId: this.#options.chainId,
      nonce: flight.nonce,
      to: cancels ? this.#account.address : to,
      data: cancels ? '0x' : data,
      gas: cancels ? CANCEL_GAS : gasLimit,
      maxFeePerGas: fees.maxFeePerGas,
      maxPriorityFeePerGas: fees.priorityFeePerGas,
    });
    const hash = keccak256(raw);
    const { label, nonce, deadlineBlock } = flight;
    await this.#open().append({ kind: 'sent', nonce, hash, raw, label, cancels, deadlineBlock, at: this.#now() });
    flight.attempts.push({ hash, raw, cancels, ...fees });
    flight.sentAtBlock = null;
  }

  /** Hands the last attempt to the node. What the node can not take for good ends the nonce when nothing else of it was sent. */
  async #send(flight: Flight, blockNumber: number): Promise<void> {
    try {
      await this.#rpc.request(sendRawTransaction(lastOf(flight).raw));
    } catch (error) {
      if (!(error instanceof RpcAnswerError)) {
        // It may have arrived or not; asking the chain and sending it again tells.
        if (isRpcFailure(error)) return;
        throw error;
      }
      const refusal = refusalOf(error.message);
      if ((refusal === 'unfunded' || refusal === 'never') && flight.attempts.length === 1) {
        await this.#end(flight, 'refused', null, 0n);
        if (refusal === 'unfunded') throw await this.#unfunded(flight);
        throw new TransactionRefusedError(flight.label, error.message, error);
      }
    }
    const isFirstTime = flight.sentAtBlock === null;
    flight.sentAtBlock = blockNumber;
    const { label, nonce } = flight;
    const { hash, cancels } = lastOf(flight);
    if (!isFirstTime) return;
    if (cancels) this.#emit({ kind: 'cancelling', label, hash, nonce });
    else this.#emit({ kind: 'sent', label, hash, nonce, replacement: flight.attempts.length - 1 });
  }

  async #finish(flight: Flight, receipt: Receipt): Promise<SubmissionResult> {
    const attempt = flight.attempts.find(({ hash }) => hash === receipt.transactionHash);
    const cost = receipt.gasUsed * receipt.effectiveGasPrice;
    if (attempt?.cancels === true) {
      await this.#end(flight, 'cancelled', receipt.transactionHash, cost);
      return { status: 'lapsed', deadlineBlock: flight.deadlineBlock ?? receipt.blockNumber };
    }
    await this.#end(flight, receipt.succeeded ? 'mined' : 'reverted', receipt.transactionHash, cost);
    if (!receipt.succeeded) throw await this.#reverted(flight, receipt);
    return { status: 'mined', hash: receipt.transactionHash, receipt, replacements: flight.attempts.length - 1 };
  }

  async #yieldNonce(flight: Flight): Promise<SubmissionResult | null> {
    await this.#end(flight, 'taken', null, 0n);
    this.#emit({ kind: 'nonceTaken', label: flight.label, nonce: flight.nonce });
    return lastOf(flight).cancels ? { status: 'lapsed', deadlineBlock: flight.deadlineBlock ?? 0 } : null;
  }

  async #end(flight: Flight, outcome: DoneEntry['outcome'], hash: Hex | null, cost: bigint): Promise<void> {
    await this.#open().append({
      kind: 'done',
      nonce: flight.nonce,
      outcome,
      hash,
      costWei: cost.toString(),
      at: this.#now(),
    });
  }

  #firstFees(
    label: string,
    block: Block,
    priorityFeePerGas: bigint,
  ): { maxFeePerGas: bigint; priorityFeePerGas: bigint } {
    const cap = this.#options.maxFeePerGas;
    const needed = block.baseFeePerGas + priorityFeePerGas;
    if (needed > cap) throw new FeeCapReachedError(label, needed, cap);
    // Room for the base fee to double, an eighth a block, before a replacement is due.
    return { maxFeePerGas: smaller(cap, 2n * block.baseFeePerGas + priorityFeePerGas), priorityFeePerGas };
  }

  /** Both fees an eighth higher (nodes ask for a tenth), and at least what the base fee now asks for; null above the cap. */
  #raisedFees(last: Attempt, block: Block): { maxFeePerGas: bigint; priorityFeePerGas: bigint } | null {
    const priorityFeePerGas = raised(last.priorityFeePerGas);
    const least = raised(last.maxFeePerGas);
    if (least > this.#options.maxFeePerGas) return null;
    const wanted = 2n * block.baseFeePerGas + priorityFeePerGas;
    return { maxFeePerGas: smaller(this.#options.maxFeePerGas, wanted > least ? wanted : least), priorityFeePerGas };
  }

  #requireFunds(flight: Flight, maxFeePerGas: bigint, balance: bigint): void {
    const cost = flight.call.gasLimit * maxFeePerGas;
    if (cost > balance) throw new UnfundedKeyError(flight.label, this.#account.address, balance, cost);
    const spent = this.#open().spentSince(this.#now() - this.#options.spendPeriodSeconds * 1000);
    if (spent + cost > this.#options.spendCapWei)
      throw new SpendCapReachedError(flight.label, spent, cost, this.#options.spendCapWei);
  }

  async #unfunded(flight: Flight): Promise<UnfundedKeyError> {
    const balance = await this.#rpc.request(balanceOf(this.#account.address));
    return new UnfundedKeyError(
      flight.label,
      this.#account.address,
      balance,
      flight.call.gasLimit * lastOf(flight).maxFeePerGas,
    );
  }

  /** Asks why a transaction reverted by calling it on the state after its block, then on the state before. */
  async #reverted(flight: Flight, receipt: Receipt): Promise<TransactionRevertedError> {
    let data: Hex | null = null;
    try {
      const mined = await this.#rpc.request(blockByHash(receipt.blockHash));
      for (const at of [receipt.blockHash, ...(mined === null ? [] : [mined.parentHash])]) {
        data ??= await this.#revertDataAt(flight, at);
      }
    } catch (error) {
      if (!isRpcFailure(error)) throw error;
    }
    return new TransactionRevertedError(flight.label, receipt, decodeError(flight.errorsAbi, data), data);
  }

  async #revertDataAt(flight: Flight, blockHash: Hex): Promise<Hex | null> {
    const { to, data } = flight.call;
    try {
      await this.#rpc.request(callAt({ from: this.#account.address, to, data }, blockHash));
      return null;
    } catch (error) {
      if (error instanceof RpcAnswerError) return error.data;
      throw error;
    }
  }

  #open(): NonceJournal {
    if (this.#journal === null) throw new TypeError('the submitter was not started');
    return this.#journal;
  }

  #pause(): Promise<void> {
    if (this.#stopped) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, this.#options.pollIntervalMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** What a stored transaction that has not ended still needs: call and fees are in its raw bytes. */
function flightFrom(pending: readonly SentEntry[]): Flight | null {
  const [first] = pending;
  if (first === undefined) return null;
  const { to, data, gas } = parseTransaction(first.raw);
  return {
    label: first.label,
    nonce: first.nonce,
    call: { to: to ?? '0x', data: data ?? '0x', gasLimit: gas ?? 0n },
    deadlineBlock: first.deadlineBlock,
    errorsAbi: null,
    attempts: pending.map(({ hash, raw, cancels }) => {
      const fees = parseTransaction(raw);
      return {
        hash,
        raw,
        cancels,
        maxFeePerGas: fees.maxFeePerGas ?? 0n,
        priorityFeePerGas: fees.maxPriorityFeePerGas ?? 0n,
      };
    }),
    sentAtBlock: null,
    takenPolls: 0,
  };
}

function lastOf(flight: Flight): Attempt {
  const last = flight.attempts.at(-1);
  if (last === undefined) throw new TypeError('nothing was signed for the nonce');
  return last;
}

function isRpcFailure(error: unknown): error is MatchmakerError {
  return error instanceof MatchmakerError && error.code.startsWith('RPC_');
}

/** What a node's refusal means: it has the transaction (or used its nonce), it would take it with other fees, or never. */
function refusalOf(message: string): 'known' | 'fees' | 'unfunded' | 'never' {
  if (/already known|already imported|known transaction|nonce too low|nonce is too low/i.test(message)) return 'known';
  if (/insufficient funds/i.test(message)) return 'unfunded';
  if (/underpriced|less than block base fee|fee too low|txpool is full|too many|rate limit/i.test(message))
    return 'fees';
  return 'never';
}

function decodeError(abi: Abi | null, data: Hex | null): { name: string; args: readonly unknown[] } | null {
  if (abi === null || data === null || data.length < 10) return null;
  try {
    const { errorName, args } = decodeErrorResult({ abi, data });
    return { name: errorName, args: args ?? [] };
  } catch {
    // An error that the ABI does not know is told by its data.
    return null;
  }
}

function raised(fee: bigint): bigint {
  return (fee * 9n + 7n) / 8n + (fee === 0n ? 1n : 0n);
}

function smaller(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}
