import {
  BaseError,
  ContractFunctionRevertedError,
  ContractFunctionZeroDataError,
  WaitForTransactionReceiptTimeoutError,
  parseEventLogs,
  type Abi,
  type Address,
  type ContractEventName,
  type ContractFunctionArgs,
  type ContractFunctionName,
  type ContractFunctionReturnType,
  type GetEventArgs,
  type Hex,
  type TransactionReceipt,
} from 'viem';
import { gasLimitFrom } from '../../chain/rpc/gasLimit.js';
import { MatchmakerError } from '../../engine/error.js';
import { AccountMissingError, type MarketClient } from '../marketClient.js';
import { MarketCallRefusedError } from './marketCallRefused.js';
import { rpcErrorFrom } from './rpcErrorFrom.js';

/** There is no such contract where the deployment file says. */
export class ContractAbsentError extends MatchmakerError<'CONTRACT_ABSENT'> {
  constructor(address: Address, functionName: string) {
    super(
      'CONTRACT_ABSENT',
      `${functionName}: no contract with this function at ${address}; the deployment file belongs to another chain or another run of the devnet`,
      { metadata: { address, functionName } },
    );
  }
}

/** A transaction was sent, and no receipt came in time. It may still be mined: look for its hash before sending another. */
export class TransactionPendingError extends MatchmakerError<'TRANSACTION_PENDING'> {
  readonly hash: Hex;

  constructor(action: string, hash: Hex, timeoutMs: number) {
    super(
      'TRANSACTION_PENDING',
      `${action}: transaction ${hash} was sent, but not mined in ${timeoutMs} ms; look for it before sending it again`,
      { metadata: { action, hash, timeoutMs } },
    );
    this.hash = hash;
  }
}

/** A mined transaction reverted although it passed just before. */
export class TransactionFailedError extends MatchmakerError<'TRANSACTION_FAILED'> {
  readonly hash: Hex;

  constructor(action: string, hash: Hex, gasUsed: bigint, gasLimit: bigint) {
    super(
      'TRANSACTION_FAILED',
      `${action}: transaction ${hash} reverted, though it would have passed when it was sent (it used ${gasUsed} of ${gasLimit} gas); the market has moved on, try again`,
      { metadata: { action, hash, gasUsed: Number(gasUsed), gasLimit: Number(gasLimit) }, retryable: true },
    );
    this.hash = hash;
  }
}

/** A transaction did not emit what it must. */
export class EventMissingError extends MatchmakerError<'EVENT_MISSING'> {
  constructor(eventName: string, hash: Hex) {
    super('EVENT_MISSING', `transaction ${hash} emitted no ${eventName}; is the deployment file that of this market?`, {
      metadata: { eventName, hash },
    });
  }
}

/** What a write leaves: its transaction, mined. */
export interface Written {
  readonly transactionHash: Hex;
  readonly blockNumber: bigint;
  readonly gasUsed: bigint;
}

/**
 * Reads a view function of a market contract on the newest block, or on `blockNumber`.
 * Throws MarketCallRefusedError, ContractAbsentError, RpcWrongChainError, RpcUnavailableError and RpcAnswerError.
 */
export async function readMarket<
  const abi extends Abi,
  name extends ContractFunctionName<abi, 'pure' | 'view'>,
  const args extends ContractFunctionArgs<abi, 'pure' | 'view', name> & readonly unknown[],
>(
  client: MarketClient,
  call: {
    readonly address: Address;
    readonly abi: abi;
    readonly functionName: name;
    readonly args: args;
    readonly blockNumber?: bigint;
  },
): Promise<ContractFunctionReturnType<abi, 'pure' | 'view', name, args>> {
  await client.checkChain();
  const untyped: UntypedCall = call;
  try {
    const answer = await client.publicClient.readContract({
      ...untyped,
      ...(call.blockNumber === undefined ? {} : { blockNumber: call.blockNumber }),
    });
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- decoded with the very ABI that the type is made from
    return answer as ContractFunctionReturnType<abi, 'pure' | 'view', name, args>;
  } catch (error) {
    throw callError(error, untyped);
  }
}

/**
 * Finds out whether a call of a market contract by the client's account would pass now, without sending it.
 * Throws AccountMissingError, MarketCallRefusedError when it would be refused, and the errors of `readMarket`.
 */
export async function tryMarket<
  const abi extends Abi,
  name extends ContractFunctionName<abi, 'nonpayable' | 'payable'>,
>(
  client: MarketClient,
  call: {
    readonly address: Address;
    readonly abi: abi;
    readonly functionName: name;
    readonly args: ContractFunctionArgs<abi, 'nonpayable' | 'payable', name> & readonly unknown[];
  },
): Promise<void> {
  const untyped: UntypedCall = call;
  if (client.account === undefined) throw new AccountMissingError(call.functionName);
  await client.checkChain();
  try {
    await client.publicClient.simulateContract({ ...untyped, account: client.account });
  } catch (error) {
    throw callError(error, untyped);
  }
}

/**
 * Tries a call of a market contract on the newest state, sends it if it passes, and waits until it is mined.
 * Throws AccountMissingError, MarketCallRefusedError when it would revert, TransactionFailedError when it did all the same,
 * TransactionPendingError, GasFundsMissingError, ContractAbsentError, RpcWrongChainError, RpcUnavailableError and RpcAnswerError.
 */
export async function writeMarket<
  const abi extends Abi,
  name extends ContractFunctionName<abi, 'nonpayable' | 'payable'>,
>(
  client: MarketClient,
  call: {
    readonly address: Address;
    readonly abi: abi;
    readonly functionName: name;
    readonly args: ContractFunctionArgs<abi, 'nonpayable' | 'payable', name> & readonly unknown[];
  },
): Promise<TransactionReceipt> {
  const untyped: UntypedCall = call;
  const { walletClient, publicClient, account, receiptTimeoutMs } = client;
  if (walletClient === undefined || account === undefined) throw new AccountMissingError(call.functionName);
  await client.checkChain();
  let hash: Hex;
  let gasLimit: bigint;
  try {
    // A call of an address without code would pass and do nothing.
    const [code, used] = await Promise.all([
      publicClient.getCode({ address: call.address }),
      publicClient.estimateContractGas({ ...untyped, account }),
    ]);
    if (code === undefined) throw new ContractAbsentError(call.address, call.functionName);
    gasLimit = gasLimitFrom(used);
    hash = await walletClient.writeContract({ ...untyped, gas: gasLimit });
  } catch (error) {
    throw callError(error, untyped);
  }
  let receipt: TransactionReceipt;
  try {
    receipt = await publicClient.waitForTransactionReceipt({ hash, timeout: receiptTimeoutMs });
  } catch (error) {
    if (error instanceof WaitForTransactionReceiptTimeoutError) {
      throw new TransactionPendingError(call.functionName, hash, receiptTimeoutMs);
    }
    throw rpcErrorFrom(error, call.functionName);
  }
  if (receipt.status !== 'success') {
    await explainFailure(client, untyped);
    throw new TransactionFailedError(call.functionName, hash, receipt.gasUsed, gasLimit);
  }
  return receipt;
}

/** The first event of a name that a contract emitted in a transaction. Throws EventMissingError. */
export function eventOf<const abi extends Abi, name extends ContractEventName<abi>>(
  receipt: TransactionReceipt,
  of: { readonly address: Address; readonly abi: abi; readonly eventName: name },
): EventArgs<abi, name> {
  const args = tryEventOf(receipt, of);
  if (args === null) throw new EventMissingError(of.eventName, receipt.transactionHash);
  return args;
}

/** The first event of a name that a contract emitted in a transaction, null when there is none. */
export function tryEventOf<const abi extends Abi, name extends ContractEventName<abi>>(
  receipt: TransactionReceipt,
  of: { readonly address: Address; readonly abi: abi; readonly eventName: name },
): EventArgs<abi, name> | null {
  const logs = receipt.logs.filter((log) => log.address.toLowerCase() === of.address.toLowerCase());
  const [found] = parseEventLogs<Abi, true, string>({ abi: of.abi, logs, eventName: of.eventName });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- decoded with the very ABI that the type is made from
  return found === undefined ? null : (found.args as unknown as EventArgs<abi, name>);
}

/** Arguments of an event by name. */
export type EventArgs<abi extends Abi, name extends ContractEventName<abi>> = GetEventArgs<
  abi,
  name,
  { EnableUnion: false; IndexedOnly: false; Required: true }
>;

/** What every action tells of its transaction. */
export function writtenBy(receipt: TransactionReceipt): Written {
  const { transactionHash, blockNumber, gasUsed } = receipt;
  return { transactionHash, blockNumber, gasUsed };
}

/** A call whose arguments were checked against its ABI by whoever wrote it. */
interface UntypedCall {
  readonly address: Address;
  readonly abi: Abi;
  readonly functionName: string;
  readonly args: readonly unknown[];
}

function callError(error: unknown, call: UntypedCall): MatchmakerError {
  if (error instanceof BaseError) {
    const reverted = error.walk((cause) => cause instanceof ContractFunctionRevertedError);
    if (reverted instanceof ContractFunctionRevertedError) {
      return new MarketCallRefusedError(call.functionName, reverted.raw ?? '0x', error);
    }
    const empty = error.walk((cause) => cause instanceof ContractFunctionZeroDataError);
    if (empty !== null) return new ContractAbsentError(call.address, call.functionName);
  }
  return rpcErrorFrom(error, call.functionName);
}

/** Throws MarketCallRefusedError when the call would be refused by now; says nothing otherwise. */
async function explainFailure(client: MarketClient, call: UntypedCall): Promise<void> {
  try {
    await client.publicClient.simulateContract({ ...call, account: client.account });
  } catch (error) {
    const explained = callError(error, call);
    if (explained instanceof MarketCallRefusedError) throw explained;
  }
}
