import { isAddressEqual, type Address, type Hex } from 'viem';
import type { OperatorSet } from '../../protocol/operatorSet.js';
import { iStrategyManagerAbi } from '../contracts/generated/IStrategyManager.js';
import type { Deployment } from '../deployment.js';
import { allocateStake } from './allocateStake.js';
import { becomeOperator, NotTheOperatorError } from './becomeOperator.js';
import { depositStake } from './depositStake.js';
import { readEigen, type EigenDependencies } from './eigenCall.js';
import { joinOperatorSet } from './joinOperatorSet.js';
import { registerKey } from './registerKey.js';

/** How an account becomes an operator of a set. */
export interface OperatorRegistration {
  /** Default the lane's account. For another, the lane's account must be its appointee, and it an operator of EigenLayer already. */
  readonly operator?: Address;
  readonly eigenlayer: Pick<
    Deployment['eigenlayer'],
    'allocationManager' | 'delegationManager' | 'strategyManager' | 'keyRegistrar'
  >;
  readonly operatorSet: OperatorSet;
  readonly strategy: Address;
  readonly stakeToken: Address;
  /** The operator's own deposit, in smallest units of the token, made unless it already has one in the strategy; 0 for none. */
  readonly stake: bigint;
  /** Share of all its stake that the set may slash, out of 1e18; absent: left as it is. */
  readonly magnitude?: bigint;
  /** Private key on the set's curve that signs matches, never used for anything before; not the operator's own. */
  readonly signingKey: Hex;
  /** Where the operator can be reached. */
  readonly socket: string;
  readonly metadataUri: string;
  /** Blocks until a new allocation counts. */
  readonly allocationDelayBlocks: number;
}

/** An operator with a key in the set, and which steps were done now. */
export interface RegisteredOperator {
  readonly operator: Address;
  /** The signing key as operator tables name it: its address, or X and Y of a BN254 point. */
  readonly signer: Hex;
  readonly isNewOperator: boolean;
  readonly isNewKey: boolean;
  readonly isNewMember: boolean;
}

/**
 * Makes an account an operator with stake and a signing key in the set. Steps that are already done are left out,
 * so an interrupted registration is finished by calling again.
 * Throws NotTheOperatorError, the errors of `allocateStake` and `registerKey`, EigenCallRevertedError, TransactionRevertedError and the errors of the RPC.
 */
export async function registerOperator(
  registration: OperatorRegistration,
  dependencies: EigenDependencies,
): Promise<RegisteredOperator> {
  const operator = registration.operator ?? dependencies.lane.address;
  const isNewOperator = await becomeOperator({ ...registration, operator }, dependencies);
  await stakeOnce(registration, operator, dependencies);
  if (registration.magnitude !== undefined) {
    await allocateStake({ ...registration, operator, magnitude: registration.magnitude }, dependencies);
  }
  const { signer, isNewKey } = await registerKey({ ...registration, operator }, dependencies);
  const isNewMember = await joinOperatorSet({ ...registration, operator }, dependencies);
  return { operator, signer, isNewOperator, isNewKey, isNewMember };
}

async function stakeOnce(
  registration: OperatorRegistration,
  operator: Address,
  { lane, rpc }: EigenDependencies,
): Promise<void> {
  if (registration.stake === 0n) return;
  if (!isAddressEqual(operator, lane.address)) throw new NotTheOperatorError('deposit', operator, lane.address);
  const shares = await readEigen(rpc, {
    address: registration.eigenlayer.strategyManager,
    abi: iStrategyManagerAbi,
    functionName: 'stakerDepositShares',
    args: [lane.address, registration.strategy],
  });
  if (shares === 0n) await depositStake({ ...registration, amount: registration.stake }, { lane, rpc });
}
