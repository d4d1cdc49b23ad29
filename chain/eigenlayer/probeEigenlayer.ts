import { BaseError, zeroAddress, type Address } from 'viem';
import { MatchmakerError } from '../../engine/error.js';
import { iAllocationManagerAbi } from '../contracts/generated/IAllocationManager.js';
import { iCrossChainRegistryAbi } from '../contracts/generated/ICrossChainRegistry.js';
import type { Deployment } from '../deployment.js';
import { RpcAnswerError, type Rpc } from '../rpc/rpc.js';
import { codeAt } from '../rpc/rpcCall.js';
import { EigenCallRevertedError, readEigen } from './eigenCall.js';

/** Delays of an EigenLayer, as its contracts say them now. */
export interface EigenlayerDelays {
  /** For which stake stays slashable after it was taken away, blocks. */
  readonly deallocationDelayBlocks: number;
  /** Before a changed allocation delay counts, blocks. */
  readonly allocationConfigurationDelayBlocks: number;
  /** Shortest staleness of a table, seconds. */
  readonly tableUpdateCadenceSeconds: number;
}

/** There is nothing at the address of one or more contracts. */
export class EigenlayerNotThereError extends MatchmakerError<'EIGENLAYER_NOT_THERE'> {
  constructor(missing: Readonly<Record<string, Address>>) {
    const list = Object.entries(missing).map(([name, address]) => `${name} ${address}`);
    super(
      'EIGENLAYER_NOT_THERE',
      `the chain has no code at ${list.join(', ')}: check these addresses of EigenLayer, and that the RPC URL is of the stake chain`,
      { metadata: { missing } },
    );
  }
}

/** The allocation manager has another ABI than the one we call. */
export class EigenlayerVersionError extends MatchmakerError<'EIGENLAYER_VERSION'> {
  constructor(contract: string, address: Address, functionName: string, cause: unknown) {
    super(
      'EIGENLAYER_VERSION',
      `${contract} ${address} does not answer ${functionName}: EigenLayer v1.9 or later is needed, or the address is of another contract`,
      { metadata: { contract, address, functionName }, cause },
    );
  }
}

/**
 * Makes sure that EigenLayer's contracts are there and have the functions that slashers need, and reads their delays. Sends nothing.
 * Throws EigenlayerNotThereError, EigenlayerVersionError and the errors of the RPC.
 */
export async function probeEigenlayer(
  contracts: Readonly<Partial<Record<string, Address>>> &
    Pick<Deployment['eigenlayer'], 'allocationManager' | 'crossChainRegistry'>,
  { rpc }: { readonly rpc: Rpc },
): Promise<EigenlayerDelays> {
  const named = Object.entries(contracts).filter((entry): entry is [string, Address] => entry[1] !== undefined);
  const codes = await Promise.all(named.map(([, address]) => rpc.request(codeAt(address, 'latest'))));
  const missing = named.filter((_, index) => codes[index] === '0x');
  if (missing.length > 0) throw new EigenlayerNotThereError(Object.fromEntries(missing));

  const manager = { address: contracts.allocationManager, abi: iAllocationManagerAbi };
  const registry = { address: contracts.crossChainRegistry, abi: iCrossChainRegistryAbi };
  // A set that does not exist may be refused, but only by a contract that has the function.
  await answering(manager.address, 'allocationManager', 'getSlasher', () =>
    readEigen(rpc, { ...manager, functionName: 'getSlasher', args: [NO_SET] }).catch(unlessNamed),
  );
  const [deallocationDelayBlocks, allocationConfigurationDelayBlocks, tableUpdateCadenceSeconds] = await Promise.all([
    answering(manager.address, 'allocationManager', 'DEALLOCATION_DELAY', () =>
      readEigen(rpc, { ...manager, functionName: 'DEALLOCATION_DELAY', args: [] }),
    ),
    answering(manager.address, 'allocationManager', 'ALLOCATION_CONFIGURATION_DELAY', () =>
      readEigen(rpc, { ...manager, functionName: 'ALLOCATION_CONFIGURATION_DELAY', args: [] }),
    ),
    answering(registry.address, 'crossChainRegistry', 'getTableUpdateCadence', () =>
      readEigen(rpc, { ...registry, functionName: 'getTableUpdateCadence', args: [] }),
    ),
  ]);
  return { deallocationDelayBlocks, allocationConfigurationDelayBlocks, tableUpdateCadenceSeconds };
}

/** Nobody's set. */
const NO_SET = { avs: zeroAddress, id: 0 };

/** A contract that names its error has the function. */
function unlessNamed(error: unknown): null {
  if (error instanceof EigenCallRevertedError && error.metadata['data'] !== '0x') return null;
  throw error;
}

/** What reverts without a word, or answers nothing that can be decoded, does not have the function. */
async function answering<Answer>(
  address: Address,
  contract: string,
  functionName: string,
  ask: () => Promise<Answer>,
): Promise<Answer> {
  try {
    return await ask();
  } catch (error) {
    const isForeign =
      error instanceof EigenCallRevertedError || error instanceof RpcAnswerError || error instanceof BaseError;
    throw isForeign ? new EigenlayerVersionError(contract, address, functionName, error) : error;
  }
}
