import { encodeAbiParameters, zeroAddress, type Address, type Hex } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { MatchmakerError } from '../../engine/error.js';
import type { OperatorSet } from '../../protocol/operatorSet.js';
import { iAllocationManagerAbi } from '../contracts/generated/IAllocationManager.js';
import { iDelegationManagerAbi } from '../contracts/generated/IDelegationManager.js';
import { iKeyRegistrarAbi } from '../contracts/generated/IKeyRegistrar.js';
import { iStrategyManagerAbi } from '../contracts/generated/IStrategyManager.js';
import type { Deployment } from '../deployment.js';
import { depositStake } from './depositStake.js';
import { readEigen, writeEigen, type EigenDependencies } from './eigenCall.js';

/** How an account becomes an operator of a set. */
export interface OperatorRegistration {
  readonly eigenlayer: Pick<
    Deployment['eigenlayer'],
    'allocationManager' | 'delegationManager' | 'strategyManager' | 'keyRegistrar'
  >;
  readonly operatorSet: OperatorSet;
  readonly strategy: Address;
  readonly stakeToken: Address;
  /** The operator's own deposit, in smallest units of the token, made unless it already has one in the strategy; 0 for none. */
  readonly stake: bigint;
  /** Share of all its stake that the set may slash, out of 1e18. */
  readonly magnitude: bigint;
  /** Key that signs matches, never used for anything before; not the operator's own. */
  readonly signingKey: Hex;
  /** Where the operator can be reached. */
  readonly socket: string;
  readonly metadataUri: string;
  /** Blocks until a new allocation counts. */
  readonly allocationDelayBlocks: number;
}

/** The operator has another signing key in this set than the one given. */
export class OtherSigningKeyError extends MatchmakerError<'OTHER_SIGNING_KEY'> {
  constructor(operator: Address, registered: Address, given: Address) {
    super(
      'OTHER_SIGNING_KEY',
      `${operator} signs with ${registered} in this set, not with ${given}: use that key, or leave the set to change it`,
      { metadata: { operator, registered, given } },
    );
  }
}

/**
 * Makes the lane's account an operator with stake and a signing key in the set. Steps that are already done are left out,
 * so an interrupted registration is finished by calling again. Returns the address of the signing key.
 * Throws OtherSigningKeyError, EigenCallRevertedError, TransactionRevertedError and the errors of the RPC.
 */
export async function registerOperator(
  registration: OperatorRegistration,
  dependencies: EigenDependencies,
): Promise<{ readonly operator: Address; readonly signer: Address }> {
  await becomeOperator(registration, dependencies);
  await stakeOnce(registration, dependencies);
  await allocate(registration, dependencies);
  const signer = await registerKey(registration, dependencies);
  await joinSet(registration, dependencies);
  return { operator: dependencies.lane.address, signer };
}

async function becomeOperator(registration: OperatorRegistration, { lane, rpc }: EigenDependencies): Promise<void> {
  const delegation = { address: registration.eigenlayer.delegationManager, abi: iDelegationManagerAbi };
  if (await readEigen(rpc, { ...delegation, functionName: 'isOperator', args: [lane.address] })) return;
  await writeEigen(lane, {
    ...delegation,
    functionName: 'registerAsOperator',
    args: [zeroAddress, registration.allocationDelayBlocks, registration.metadataUri],
  });
}

async function stakeOnce(registration: OperatorRegistration, { lane, rpc }: EigenDependencies): Promise<void> {
  if (registration.stake === 0n) return;
  const shares = await readEigen(rpc, {
    address: registration.eigenlayer.strategyManager,
    abi: iStrategyManagerAbi,
    functionName: 'stakerDepositShares',
    args: [lane.address, registration.strategy],
  });
  if (shares === 0n) await depositStake({ ...registration, amount: registration.stake }, { lane });
}

async function allocate(registration: OperatorRegistration, { lane, rpc }: EigenDependencies): Promise<void> {
  const { operatorSet, strategy, magnitude } = registration;
  const allocation = { address: registration.eigenlayer.allocationManager, abi: iAllocationManagerAbi };
  const present = await readEigen(rpc, {
    ...allocation,
    functionName: 'getAllocation',
    args: [lane.address, operatorSet, strategy],
  });
  if (present.currentMagnitude + present.pendingDiff === magnitude) return;
  await writeEigen(lane, {
    ...allocation,
    functionName: 'modifyAllocations',
    args: [lane.address, [{ operatorSet, strategies: [strategy], newMagnitudes: [magnitude] }]],
  });
}

async function registerKey(registration: OperatorRegistration, { lane, rpc }: EigenDependencies): Promise<Address> {
  const { operatorSet } = registration;
  const key = privateKeyToAccount(registration.signingKey);
  const registrar = { address: registration.eigenlayer.keyRegistrar, abi: iKeyRegistrarAbi };
  const present = await readEigen(rpc, {
    ...registrar,
    functionName: 'getECDSAAddress',
    args: [operatorSet, lane.address],
  });
  if (present === key.address) return key.address;
  if (present !== zeroAddress) throw new OtherSigningKeyError(lane.address, present, key.address);
  const hash = await readEigen(rpc, {
    ...registrar,
    functionName: 'getECDSAKeyRegistrationMessageHash',
    args: [lane.address, operatorSet, key.address],
  });
  await writeEigen(lane, {
    ...registrar,
    functionName: 'registerKey',
    args: [lane.address, operatorSet, key.address, await key.sign({ hash })],
  });
  return key.address;
}

async function joinSet(registration: OperatorRegistration, { lane, rpc }: EigenDependencies): Promise<void> {
  const { operatorSet, socket } = registration;
  const allocation = { address: registration.eigenlayer.allocationManager, abi: iAllocationManagerAbi };
  const member = await readEigen(rpc, {
    ...allocation,
    functionName: 'isMemberOfOperatorSet',
    args: [lane.address, operatorSet],
  });
  if (member) return;
  const data = encodeAbiParameters([{ type: 'string' }], [socket]);
  await writeEigen(lane, {
    ...allocation,
    functionName: 'registerForOperatorSets',
    args: [lane.address, { avs: operatorSet.avs, operatorSetIds: [operatorSet.id], data }],
  });
}
