import { getContractAddress, keccak256, type Address, type Hex } from 'viem';
import type { Rpc } from '../rpc/rpc.js';
import { codeAt, creationCode, pendingTransactionCount } from '../rpc/rpcCall.js';
import { DeployAddressError } from './deployMarket.js';
import type { DeployProgress } from './deployProgress.js';
import type { TransactionLane } from './transactionLane.js';

/** What a resumable deployment acts through. */
export interface DeployDependencies {
  readonly lane: Pick<TransactionLane, 'address' | 'run'>;
  readonly rpc: Rpc;
  readonly progress: DeployProgress;
}

/**
 * Creates a contract unless an earlier call did; returns its address in lower case.
 * Throws DeployAddressError, TransactionRevertedError and the errors of the RPC.
 */
export async function createContract(name: string, data: Hex, dependencies: DeployDependencies): Promise<Address> {
  const created = await findContract(name, data, dependencies);
  if (created !== null) return created;
  return createAt(name, data, await nextAddress(dependencies), dependencies);
}

/** Address of the contract that an earlier call created from this very code, null when there is none. */
export async function findContract(
  name: string,
  data: Hex,
  { lane, rpc, progress }: DeployDependencies,
): Promise<Address | null> {
  const noted = progress.contract(name);
  if (noted === undefined || noted.initCodeHash !== keccak256(data)) return null;
  const code = await rpc.request(codeAt(noted.address, 'latest'));
  if (code === '0x') return null;
  // The address follows from key and nonce alone: had the key sent something else with that nonce, other code would be there. Code that
  // a constructor makes addresses for differs in these from a trial, but never in length.
  const trial = await rpc.request(creationCode({ from: lane.address, data }));
  return code.length === trial.length ? noted.address : null;
}

/** Where the lane's next contract comes to lie, and with `later` the one after so many transactions more. */
export async function nextAddress({ lane, rpc }: DeployDependencies, later = 0): Promise<Address> {
  const nonce = (await rpc.request(pendingTransactionCount(lane.address))) + later;
  return getContractAddress({ from: lane.address, nonce: BigInt(nonce) }).toLowerCase() as Address;
}

/** Creates a contract and checks that it lies where it was expected. */
export async function createAt(
  name: string,
  data: Hex,
  address: Address,
  { lane, progress }: DeployDependencies,
): Promise<Address> {
  progress.noteContract(name, address, keccak256(data));
  const { contractAddress } = await lane.run({ data, label: `deploy ${name}` });
  if (contractAddress !== address) throw new DeployAddressError(name, address, contractAddress);
  return address;
}
