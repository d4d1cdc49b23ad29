import { decodeErrorResult, keccak256 } from 'viem';
import type { Abi, Hex, LocalAccount } from 'viem';
import { MatchmakerError } from '../../engine/error.js';
import { gasLimitFrom } from '../rpc/gasLimit.js';
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
import { CANCEL_GAS, flightsFrom, lastOf, newFlight, reservedWei } from './flight.js';
import type { Flight } from './flight.js';
import { NonceJournal } from './nonceJournal.js';
import type { DoneEntry } from './nonceJournal.js';
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

/** What the chain said of the key. */
type AccountReading = readonly [block: Block, count: number, balance: bigint];

/** What the chain said of the key before a transaction was asked for. */
interface Prepared {
  readonly validUntilMs: number;
  /** Nonces that had ended by then. */
  readonly endings: number;
  /** Null when the node did not answer. */
  readonly reading: Promise<AccountReading | null>;
}

interface Fees {
  readonly maxFeePerGas: bigint;
  readonly priorityFeePerGas: bigint;
}

type Lapsed = Extract<SubmissionResult, { status: 'lapsed' }>;

const DEFAULT_REPLACE_AFTER_BLOCKS = 2;
const DEFAULT_MAX_PENDING = 1;
/** Receipts may lag the account's count by a few looks. */
const TAKEN_LOOKS = 5;

/**
 * Brings transactions of one key into the chain, one or a few at a time, each at the nonce after the one before: stored before sent, replaced at
 * the same nonce with higher fees when they do not get in, freed by a no-op after their deadline, and after a crash followed to their end by
 * asking the chain first. Only the transaction whose nonce is next can be stuck; those behind it wait for it. A nonce that came free below them
 * (its transaction was refused, or taken back with its block) is given to the next transaction, or used up by a no-op.
 */
export class Submitter {
  readonly #options: SubmitterOptions;
  readonly #rpc: Rpc;
  readonly #account: LocalAccount;
  readonly #emit: (event: SubmitterEvent) => void;
  readonly #now: () => number;
  #journal: NonceJournal | null = null;
  /** What is under way, by nonce. */
  #flights: Flight[] = [];
  /** Nonces that ended: an account that was read before the last of them is out of date. */
  #endings = 0;
  /** Ends when all that was submitted so far has been sent or given up. */
  #launches: Promise<unknown> = Promise.resolve();
  #isFollowing = false;
  #following: Promise<void> = Promise.resolve();
  /** Block at which the nonce below those under way was first seen unused. */
  #gapSinceBlock: number | null = null;
  #prepared: Prepared | null = null;
  #stopped = false;
  #isWoken = false;
  #wake: () => void = () => {};
  #onRoom: () => void = () => {};

  constructor(options: SubmitterOptions, dependencies: SubmitterDependencies) {
    this.#options = options;
    this.#rpc = dependencies.rpc;
    this.#account = dependencies.account;
    this.#emit = dependencies.onEvent ?? (() => {});
    this.#now = dependencies.now ?? Date.now;
  }

  /**
   * Opens the journal and takes up what was under way when the last process ended; what comes of it is told by `resumed` events.
   * Throws JournalCorruptError.
   */
  async start(): Promise<void> {
    const { journalFile: file, chainId, spendPeriodSeconds } = this.#options;
    const address = this.#account.address;
    this.#journal = await NonceJournal.open({ file, chainId, address, keepMs: spendPeriodSeconds * 1000 }, this.#now());
    this.#flights = flightsFrom(this.#journal.pending);
    for (const { result, label, nonce } of this.#flights) {
      const tell = (outcome: string): void => this.#emit({ kind: 'resumed', label, nonce, outcome });
      result.then(
        (ended) => tell(ended?.status ?? 'taken'),
        (error: unknown) => tell(error instanceof MatchmakerError ? error.code : String(error)),
      );
    }
    this.#follow();
  }

  /** Stops following; what is under way is left to the next start. Pending `submit` calls throw SubmitterStoppedError. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.headMoved();
    this.#onRoom();
    await this.#launches;
    await this.#following;
    for (const { label, reject } of this.#flights) reject(new SubmitterStoppedError(label));
    await this.#journal?.close();
  }

  /**
   * Brings a transaction into the chain, at a nonce after those submitted before it. Resolves when it is mined and succeeded, or when its
   * deadline passed without it. Throws TransactionRevertedError, UnfundedKeyError, SpendCapReachedError, FeeCapReachedError,
   * TransactionRefusedError, SubmitterStoppedError, JournalClosedError, and what the RPC throws before anything was signed.
   */
  async submit(request: SubmissionRequest): Promise<SubmissionResult> {
    const same = request.isUnique === true ? this.#underWay(request) : undefined;
    if (same !== undefined) {
      same.errorsAbi ??= request.errorsAbi ?? null;
      const result = await same.result;
      if (result !== null) return result;
    }
    for (;;) {
      const launch = this.#launches.then(() => this.#launch(request));
      this.#launches = launch.catch(() => undefined);
      const launched = await launch;
      if ('status' in launched) return launched;
      const result = await launched.result;
      if (result !== null) return result;
    }
  }

  /**
   * Asks for nonce, balance and fees now, so that a transaction with a gas limit that is submitted within `validMs` goes out without waiting
   * for them, unless another one ends before. Does nothing while there is no room for one more.
   */
  prepare(validMs: number): void {
    if (this.#stopped || !this.#hasRoom()) return;
    const reading = this.#rpc.batch(this.#accountCalls()).catch((error: unknown) => {
      if (isRpcFailure(error)) return null;
      throw error;
    });
    // Whoever submits next hears of it; when nobody does it is of no account.
    reading.catch(() => undefined);
    this.#prepared = { validUntilMs: this.#now() + validMs, endings: this.#endings, reading };
  }

  /** Tells that the chain has a new block: what is under way is looked for at once. */
  headMoved(): void {
    this.#isWoken = true;
    this.#wake();
  }

  /** What is under way for the same label and receiver and was not given up. */
  #underWay({ label, to }: SubmissionRequest): Flight | undefined {
    return this.#flights.find(
      ({ label: other, call, attempts }) =>
        other === label && call.to.toLowerCase() === to.toLowerCase() && attempts.at(-1)?.cancels !== true,
    );
  }

  #hasRoom(): boolean {
    return this.#flights.length < (this.#options.maxPending ?? DEFAULT_MAX_PENDING);
  }

  #accountCalls() {
    const { address } = this.#account;
    return [latestBlock(), transactionCount(address), balanceOf(address)] as const;
  }

  /** The account as it is after all nonces that have ended, and a gas limit from the estimate of a request that has none. */
  async #readAccount({ gasLimit, to, data, label }: SubmissionRequest): Promise<readonly [AccountReading, bigint]> {
    for (;;) {
      if (this.#stopped) throw new SubmitterStoppedError(label);
      const endings = this.#endings;
      const prepared = gasLimit === undefined ? null : await this.#preparedReading();
      const [block, count, balance, estimate] =
        prepared ??
        (await this.#rpc.batch([
          ...this.#accountCalls(),
          ...(gasLimit === undefined ? [estimateGas({ from: this.#account.address, to, data })] : []),
        ] as const));
      if (endings === this.#endings) return [[block, count, balance], gasLimit ?? gasLimitFrom(estimate ?? 0n)];
    }
  }

  /** What was asked for in advance, if it still holds. */
  async #preparedReading(): Promise<AccountReading | null> {
    const prepared = this.#prepared;
    const holds = prepared !== null && prepared.endings === this.#endings && this.#now() <= prepared.validUntilMs;
    return holds ? prepared.reading : null;
  }

  /** Signs a transaction and sends it for the first time. */
  async #launch(request: SubmissionRequest): Promise<Flight | Lapsed> {
    const { to, data, label, deadlineBlock, errorsAbi } = request;
    while (!this.#hasRoom() && !this.#stopped) await new Promise<void>((resolve) => (this.#onRoom = resolve));
    const [[block, count, balance], gasLimit] = await this.#readAccount(request);
    if (this.#stopped) throw new SubmitterStoppedError(label);
    if (deadlineBlock !== undefined && block.number >= deadlineBlock) return { status: 'lapsed', deadlineBlock };
    const flight = newFlight({
      label,
      nonce: this.#freeNonce(count),
      call: { to, data, gasLimit },
      deadlineBlock: deadlineBlock ?? null,
      errorsAbi: errorsAbi ?? null,
    });
    const priorityFeePerGas = request.priorityFeePerGas ?? this.#options.priorityFeePerGas;
    const fees = this.#firstFees(block, priorityFeePerGas);
    if (fees === null)
      throw new FeeCapReachedError(label, block.baseFeePerGas + priorityFeePerGas, this.#options.maxFeePerGas);
    this.#requireFunds(flight, fees.maxFeePerGas, balance);
    await this.#takeOff(flight, fees, false, block.number);
    this.#follow();
    return flight;
  }

  /** The lowest nonce that nothing is under way for, given how many the chain has used. */
  #freeNonce(count: number): number {
    const first = this.#flights[0];
    const last = this.#flights.at(-1);
    if (first === undefined || last === undefined || count < first.nonce) return count;
    return Math.max(count, last.nonce + 1);
  }

  /** Puts a new flight in its place and sends its first form. What it throws ended the flight. */
  async #takeOff(flight: Flight, fees: Fees, cancels: boolean, blockNumber: number): Promise<void> {
    this.#flights = [...this.#flights, flight].toSorted((a, b) => a.nonce - b.nonce);
    flight.isLaunching = true;
    try {
      await this.#sign(flight, fees, cancels);
      await this.#send(flight, blockNumber);
    } catch (error) {
      this.#remove(flight);
      throw error;
    } finally {
      flight.isLaunching = false;
    }
  }

  #follow(): void {
    this.headMoved();
    if (this.#isFollowing) return;
    this.#isFollowing = true;
    this.#gapSinceBlock = null;
    this.#following = this.#followAll();
  }

  /** Looks at everything under way until nothing is. */
  async #followAll(): Promise<void> {
    let isSilent = true;
    while (this.#flights.length > 0 && !this.#stopped) {
      this.#isWoken = false;
      const label = this.#flights[0]?.label ?? '';
      try {
        await this.#look();
        isSilent = true;
      } catch (error) {
        if (!isRpcFailure(error)) {
          for (const flight of this.#flights) this.#fail(flight, error);
        } else if (isSilent) {
          this.#emit({ kind: 'unreachable', label, reason: error.message });
          isSilent = false;
        }
      }
      if (this.#flights.length > 0) await this.#pause();
    }
    this.#isFollowing = false;
  }

  /** Asks the chain once for everything under way, and does what is due, the lowest nonce first. */
  async #look(): Promise<void> {
    const flights = this.#flights.filter(({ isLaunching }) => !isLaunching);
    if (flights.length === 0) return;
    const [block, count, ...receipts] = await this.#rpc.batch([
      latestBlock(),
      transactionCount(this.#account.address),
      ...flights.flatMap(({ attempts }) => attempts.map(({ hash }) => transactionReceipt(hash))),
    ] as const);
    let first = 0;
    for (const flight of flights) {
      const own = receipts.slice(first, first + flight.attempts.length);
      first += flight.attempts.length;
      try {
        await this.#attend(flight, block, count, own.find((receipt) => receipt !== null) ?? null);
      } catch (error) {
        if (isRpcFailure(error)) throw error;
        this.#fail(flight, error);
      }
    }
    await this.#closeGap(block, count);
  }

  async #attend(flight: Flight, block: Block, count: number, receipt: Receipt | null): Promise<void> {
    if (receipt !== null) return this.#finish(flight, receipt);
    if (count <= flight.nonce) {
      flight.takenLooks = 0;
      return this.#push(flight, block, count === flight.nonce);
    }
    flight.takenLooks += 1;
    if (flight.takenLooks >= TAKEN_LOOKS) await this.#yieldNonce(flight);
  }

  /** Sends what has not reached the node, raises fees, or gives up by a no-op, whichever is due. */
  async #push(flight: Flight, block: Block, isNext: boolean): Promise<void> {
    const last = lastOf(flight);
    const isLate = flight.deadlineBlock !== null && block.number >= flight.deadlineBlock;
    // One that waits for a nonce before it gains nothing by higher fees.
    const isStuck = isNext && flight.sentAtBlock !== null && block.number - flight.sentAtBlock >= this.#replaceAfter;
    if (isStuck || (isLate && !last.cancels)) {
      const cancels = isLate || last.cancels;
      const fees = this.#raisedFees(flight, block, cancels);
      // At a cap the old form is sent again: the node may have dropped it.
      if (fees !== null) await this.#sign(flight, fees, cancels);
    } else if (flight.sentAtBlock !== null) {
      return;
    }
    await this.#send(flight, block.number);
  }

  /** Uses up a nonce that has been free below those under way for so long that nothing else is to be expected of it. */
  async #closeGap(block: Block, count: number): Promise<void> {
    const [first] = this.#flights;
    if (first === undefined || first.nonce <= count) {
      this.#gapSinceBlock = null;
      return;
    }
    this.#gapSinceBlock ??= block.number;
    const fees = this.#firstFees(block, this.#options.priorityFeePerGas);
    if (block.number - this.#gapSinceBlock < this.#replaceAfter || fees === null) return;
    if (this.#spent() + this.#reserved() + CANCEL_GAS * fees.maxFeePerGas > this.#options.spendCapWei) return;
    const call = { to: this.#account.address, data: '0x', gasLimit: CANCEL_GAS } as const;
    const flight = newFlight({
      label: `use up nonce ${count}`,
      nonce: count,
      call,
      deadlineBlock: null,
      errorsAbi: null,
    });
    await this.#takeOff(flight, fees, true, block.number);
  }

  get #replaceAfter(): number {
    return this.#options.replaceAfterBlocks ?? DEFAULT_REPLACE_AFTER_BLOCKS;
  }

  async #sign(flight: Flight, fees: Fees, cancels: boolean): Promise<void> {
    const { to, data, gasLimit } = flight.call;
    const { maxFeePerGas, priorityFeePerGas } = fees;
    const raw = await this.#account.signTransaction({
      type: 'eip1559',
      chainId: this.#options.chainId,
      nonce: flight.nonce,
      to: cancels ? this.#account.address : to,
      data: cancels ? '0x' : data,
      gas: cancels ? CANCEL_GAS : gasLimit,
      maxFeePerGas,
      maxPriorityFeePerGas: priorityFeePerGas,
    });
    const hash = keccak256(raw);
    const { label, nonce, deadlineBlock } = flight;
    await this.#open().append({ kind: 'sent', nonce, hash, raw, label, cancels, deadlineBlock, at: this.#now() });
    flight.attempts.push({ hash, raw, cancels, maxFeePerGas, priorityFeePerGas });
    flight.sentAtBlock = null;
  }

  /** Hands the last attempt to the node. What the node can not take for good is given up when nothing else of it was sent. */
  async #send(flight: Flight, blockNumber: number): Promise<void> {
    try {
      await this.#rpc.request(sendRawTransaction(lastOf(flight).raw));
    } catch (error) {
      // It may have arrived or not; asking the chain and sending it again tells.
      if (isRpcFailure(error) && !(error instanceof RpcAnswerError)) return;
      if (!(error instanceof RpcAnswerError)) throw error;
      const refusal = refusalOf(error.message);
      if (refusal === 'early') return;
      if ((refusal === 'unfunded' || refusal === 'never') && flight.attempts.length === 1) {
        const refused = new TransactionRefusedError(flight.label, error.message, error);
        return this.#giveUp(flight, refusal === 'never' ? refused : await this.#unfunded(flight, refused), blockNumber);
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

  /** Frees the nonce of what the node never took, by a no-op when later nonces wait for it. */
  async #giveUp(flight: Flight, reason: MatchmakerError, blockNumber: number): Promise<void> {
    flight.reject(reason);
    if (this.#flights.at(-1) === flight) return this.#end(flight, 'refused', null, 0n);
    await this.#sign(flight, lastOf(flight), true);
    await this.#send(flight, blockNumber);
  }

  async #finish(flight: Flight, receipt: Receipt): Promise<void> {
    const { transactionHash: hash, blockNumber, succeeded } = receipt;
    const isCancelled = flight.attempts.some((attempt) => attempt.hash === hash && attempt.cancels);
    const outcome = isCancelled ? 'cancelled' : succeeded ? 'mined' : 'reverted';
    await this.#end(flight, outcome, hash, receipt.gasUsed * receipt.effectiveGasPrice);
    switch (outcome) {
      case 'cancelled':
        flight.resolve({ status: 'lapsed', deadlineBlock: flight.deadlineBlock ?? blockNumber });
        break;
      case 'mined':
        flight.resolve({ status: 'mined', hash, receipt, replacements: flight.attempts.length - 1 });
        break;
      case 'reverted':
        // Later nonces need not wait for the reason.
        this.#reverted(flight, receipt).then(flight.reject, flight.reject);
    }
  }

  async #yieldNonce(flight: Flight): Promise<void> {
    await this.#end(flight, 'taken', null, 0n);
    this.#emit({ kind: 'nonceTaken', label: flight.label, nonce: flight.nonce });
    flight.resolve(lastOf(flight).cancels ? { status: 'lapsed', deadlineBlock: flight.deadlineBlock ?? 0 } : null);
  }

  async #end(flight: Flight, outcome: DoneEntry['outcome'], hash: Hex | null, cost: bigint): Promise<void> {
    const { nonce } = flight;
    // A nonce that was not used is free at once; one that was is under way until its cost counts as spent.
    if (outcome === 'refused') this.#remove(flight);
    await this.#open().append({ kind: 'done', nonce, outcome, hash, costWei: cost.toString(), at: this.#now() });
    if (outcome === 'refused') return;
    this.#endings += 1;
    this.#remove(flight);
  }

  #fail(flight: Flight, error: unknown): void {
    flight.reject(error);
    this.#remove(flight);
  }

  #remove(flight: Flight): void {
    this.#flights = this.#flights.filter((other) => other !== flight);
    this.#onRoom();
  }

  /** Fees of a first form; null when the chain asks for more than the cap. */
  #firstFees({ baseFeePerGas }: Block, priorityFeePerGas: bigint): Fees | null {
    const cap = this.#options.maxFeePerGas;
    if (baseFeePerGas + priorityFeePerGas > cap) return null;
    // Room for the base fee to double, an eighth a block, before a replacement is due.
    return { maxFeePerGas: smaller(cap, 2n * baseFeePerGas + priorityFeePerGas), priorityFeePerGas };
  }

  /**
   * Both fees an eighth higher (nodes ask for a tenth), and at least what the base fee now asks for; null above the fee cap, and where a
   * form with them might cost more than the spend cap leaves.
   */
  #raisedFees(flight: Flight, block: Block, cancels: boolean): Fees | null {
    const last = lastOf(flight);
    const gas = cancels ? CANCEL_GAS : flight.call.gasLimit;
    const own = reservedWei(flight);
    const left = this.#options.spendCapWei - this.#spent() - (this.#reserved() - own);
    // What was signed may be mined in any case, so that what costs no more than it is always left.
    const most = smaller(this.#options.maxFeePerGas, (left > own ? left : own) / gas);
    const priorityFeePerGas = raised(last.priorityFeePerGas);
    const least = raised(last.maxFeePerGas);
    if (least > most) return null;
    const wanted = 2n * block.baseFeePerGas + priorityFeePerGas;
    return { maxFeePerGas: smaller(most, wanted > least ? wanted : least), priorityFeePerGas };
  }

  /** What is under way counts with the most that it may cost. */
  #requireFunds(flight: Flight, maxFeePerGas: bigint, balance: bigint): void {
    const { label, call } = flight;
    const cost = call.gasLimit * maxFeePerGas;
    const reserved = this.#reserved();
    if (reserved + cost > balance) throw new UnfundedKeyError(label, this.#account.address, balance, reserved + cost);
    const spent = this.#spent();
    if (spent + reserved + cost > this.#options.spendCapWei)
      throw new SpendCapReachedError(label, spent + reserved, cost, this.#options.spendCapWei);
  }

  /** Most that everything under way may cost, wei. */
  #reserved(): bigint {
    return this.#flights.reduce((sum, flight) => sum + reservedWei(flight), 0n);
  }

  /** What the period's transactions have cost, wei. */
  #spent(): bigint {
    return this.#open().spentSince(this.#now() - this.#options.spendPeriodSeconds * 1000);
  }

  /** The error of a key that can not pay; `unknown` when the node does not tell what it holds. */
  async #unfunded(flight: Flight, unknown: MatchmakerError): Promise<MatchmakerError> {
    const { address } = this.#account;
    try {
      const balance = await this.#rpc.request(balanceOf(address));
      return new UnfundedKeyError(flight.label, address, balance, reservedWei(flight));
    } catch (error) {
      if (isRpcFailure(error)) return unknown;
      throw error;
    }
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
    if (this.#stopped || this.#isWoken) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, this.#options.pollIntervalMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

function isRpcFailure(error: unknown): error is MatchmakerError {
  return error instanceof MatchmakerError && error.code.startsWith('RPC_');
}

/**
 * What a node's refusal means: it has the transaction (or used its nonce), it would take it once those before it are mined, or with other
 * fees, or never.
 */
function refusalOf(message: string): 'known' | 'early' | 'fees' | 'unfunded' | 'never' {
  if (/already known|already imported|known transaction|nonce too low|nonce is too low/i.test(message)) return 'known';
  if (
    /nonce too high|nonce is too high|nonce ?gap|gapped.nonce|future nonce|too far in (the )?future|in-flight/i.test(
      message,
    )
  )
    return 'early';
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
