import { isAddressEqual, zeroAddress, type Address, type Hex } from 'viem';
import { iAllocationManagerAbi } from '../contracts/generated/IAllocationManager.js';
import { iDelegationManagerAbi } from '../contracts/generated/IDelegationManager.js';
import { iStrategyAbi } from '../contracts/generated/IStrategy.js';
import type { Deployment } from '../deployment.js';
import { NATIVE_STRATEGY } from '../eigenlayer/completeWithdrawals.js';
import { readEigen } from '../eigenlayer/eigenCall.js';
import type { Withdrawal } from '../eigenlayer/queueWithdrawal.js';
import type { Rpc } from '../rpc/rpc.js';
import { latestBlock, type Block } from '../rpc/rpcCall.js';
import { readSlashability, type Slashability } from './slashability.js';

/** Stake in one strategy. */
export interface RestakedShares {
  readonly strategy: Address;
  /** What was deposited; slashing does not change it, and withdrawals are asked for in it. */
  readonly depositShares: bigint;
  /** What slashing left. */
  readonly withdrawableShares: bigint;
  /** Smallest units of the strategy's token that these are worth; null for native stake. */
  readonly withdrawableTokens: bigint | null;
}

/** Stake on its way out. */
export interface LeavingStake {
  readonly root: Hex;
  readonly withdrawal: Withdrawal;
  readonly strategies: readonly {
    readonly strategy: Address;
    /** What slashing up to now left. */
    readonly shares: bigint;
    readonly tokens: bigint | null;
  }[];
  /** The last block in which a slash reaches it. */
  readonly slashableUntilBlock: number;
  readonly completableFromBlock: number;
  readonly isCompletable: boolean;
}

/** What the set can take of a restaker's stake in one strategy, now. */
export interface ExposedShares {
  /** Whom it stands behind; stake that is leaving stands behind the operator that it left. */
  readonly operator: Address;
  readonly strategy: Address;
  /** What the operator allocates to the set of its stake, of `maxMagnitude`. */
  readonly magnitude: bigint;
  readonly maxMagnitude: bigint;
  /** A change under way: the magnitude that counts from `effectBlock` on. */
  readonly pending: { readonly magnitude: bigint; readonly effectBlock: number } | null;
  /** Of the stake that is not leaving, rounded up. */
  readonly shares: bigint;
  /** Of the stake that is leaving, rounded up. */
  readonly leavingShares: bigint;
}

/** A restaker as it stands after one block of the stake chain. */
export interface Restaker {
  readonly account: Address;
  readonly head: Block;
  readonly withdrawalDelayBlocks: number;
  /** Null: it delegates to nobody, and no set can take anything. */
  readonly operator: Address | null;
  readonly isOperator: boolean;
  readonly stake: readonly RestakedShares[];
  readonly leaving: readonly LeavingStake[];
  /** The set's hold on the operator; null without an operator. */
  readonly slashability: Slashability | null;
  /** Only strategies of the set, and operators that it can slash now. */
  readonly exposed: readonly ExposedShares[];
}

type StakeDeployment = Pick<Deployment, 'eigenlayer' | 'operatorSet'>;

/**
 * Reads what an account has restaked, what of it is leaving, and what of it the set can slash, all from one block.
 * Throws EigenCallRevertedError and the errors of the RPC.
 */
export async function readRestaker(deployment: StakeDeployment, rpc: Rpc, account: Address): Promise<Restaker> {
  const head = await rpc.request(latestBlock());
  const manager = { address: deployment.eigenlayer.delegationManager, abi: iDelegationManagerAbi };
  const [[strategies], operator, isOperator, delay] = await Promise.all([
    readEigen(rpc, { ...manager, functionName: 'getDepositedShares', args: [account] }, head.hash),
    readEigen(rpc, { ...manager, functionName: 'delegatedTo', args: [account] }, head.hash),
    readEigen(rpc, { ...manager, functionName: 'isOperator', args: [account] }, head.hash),
    readEigen(rpc, { ...manager, functionName: 'minWithdrawalDelayBlocks', args: [] }, head.hash),
  ]);
  const [stake, leaving] = await Promise.all([
    readStake(deployment, rpc, { account, strategies, head }),
    readLeaving(deployment, rpc, { account, head, delay }),
  ]);
  const common = { account, head, withdrawalDelayBlocks: delay, isOperator, stake, leaving };
  if (operator === zeroAddress) {
    // What is leaving belongs to the operator that it left from.
    const exposed = await readExposed(deployment, rpc, { head, stake: [], leaving });
    return { ...common, operator: null, slashability: null, exposed };
  }
  const slashability = await readSlashability(deployment, rpc, { operator, head });
  const exposed = await readExposed(deployment, rpc, { head, operator, stake, leaving });
  return { ...common, operator, slashability, exposed };
}

async function readStake(
  deployment: StakeDeployment,
  rpc: Rpc,
  scope: { readonly account: Address; readonly strategies: readonly Address[]; readonly head: Block },
): Promise<readonly RestakedShares[]> {
  const { account, strategies, head } = scope;
  const [withdrawable, deposited] = await readEigen(
    rpc,
    {
      address: deployment.eigenlayer.delegationManager,
      abi: iDelegationManagerAbi,
      functionName: 'getWithdrawableShares',
      args: [account, strategies],
    },
    head.hash,
  );
  return Promise.all(
    strategies.map(async (strategy, index) => {
      const withdrawableShares = withdrawable[index] ?? 0n;
      const withdrawableTokens = await tokensOf(rpc, { strategy, shares: withdrawableShares, at: head.hash });
      return { strategy, depositShares: deposited[index] ?? 0n, withdrawableShares, withdrawableTokens };
    }),
  );
}

async function readLeaving(
  deployment: StakeDeployment,
  rpc: Rpc,
  scope: { readonly account: Address; readonly head: Block; readonly delay: number },
): Promise<readonly LeavingStake[]> {
  const { account, head, delay } = scope;
  const manager = { address: deployment.eigenlayer.delegationManager, abi: iDelegationManagerAbi };
  const [[withdrawals, shares], roots] = await Promise.all([
    readEigen(rpc, { ...manager, functionName: 'getQueuedWithdrawals', args: [account] }, head.hash),
    readEigen(rpc, { ...manager, functionName: 'getQueuedWithdrawalRoots', args: [account] }, head.hash),
  ]);
  return Promise.all(
    withdrawals.map(async (withdrawal, index) => {
      const slashableUntilBlock = withdrawal.startBlock + delay;
      return {
        root: roots[index] ?? '0x',
        withdrawal,
        strategies: await Promise.all(
          withdrawal.strategies.map(async (strategy, place) => {
            const left = shares[index]?.[place] ?? 0n;
            return { strategy, shares: left, tokens: await tokensOf(rpc, { strategy, shares: left, at: head.hash }) };
          }),
        ),
        slashableUntilBlock,
        completableFromBlock: slashableUntilBlock + 1,
        isCompletable: head.number > slashableUntilBlock,
      };
    }),
  );
}

/** Stake and leaving stake by the operator that they stand behind, as far as the set can slash that operator. */
async function readExposed(
  deployment: StakeDeployment,
  rpc: Rpc,
  scope: {
    readonly head: Block;
    readonly operator?: Address;
    readonly stake: readonly RestakedShares[];
    readonly leaving: readonly LeavingStake[];
  },
): Promise<readonly ExposedShares[]> {
  const { operatorSet } = deployment;
  const { head } = scope;
  const manager = { address: deployment.eigenlayer.allocationManager, abi: iAllocationManagerAbi };
  const strategies = await readEigen(
    rpc,
    { ...manager, functionName: 'getStrategiesInOperatorSet', args: [operatorSet] },
    head.hash,
  );
  const inQueue = scope.leaving.filter(({ slashableUntilBlock }) => head.number <= slashableUntilBlock);
  const operators = uniqueAddresses([
    ...(scope.operator === undefined ? [] : [scope.operator]),
    ...inQueue.map(({ withdrawal }) => withdrawal.delegatedTo),
  ]);
  const exposed = await Promise.all(
    operators.flatMap((operator) =>
      strategies.map(async (strategy): Promise<ExposedShares | null> => {
        const own =
          scope.operator !== undefined && isAddressEqual(operator, scope.operator)
            ? sum(
                scope.stake
                  .filter((row) => isAddressEqual(row.strategy, strategy))
                  .map((row) => row.withdrawableShares),
              )
            : 0n;
        const leaving = sum(
          inQueue
            .filter(({ withdrawal }) => isAddressEqual(withdrawal.delegatedTo, operator))
            .flatMap((row) => row.strategies)
            .filter((row) => isAddressEqual(row.strategy, strategy))
            .map((row) => row.shares),
        );
        const [isSlashable, allocation, maxMagnitude] = await Promise.all([
          readEigen(rpc, { ...manager, functionName: 'isOperatorSlashable', args: [operator, operatorSet] }, head.hash),
          readEigen(
            rpc,
            { ...manager, functionName: 'getAllocation', args: [operator, operatorSet, strategy] },
            head.hash,
          ),
          readEigen(rpc, { ...manager, functionName: 'getMaxMagnitude', args: [operator, strategy] }, head.hash),
        ]);
        if (!isSlashable || maxMagnitude === 0n || own + leaving === 0n) return null;
        const { currentMagnitude: magnitude, pendingDiff, effectBlock } = allocation;
        return {
          operator,
          strategy,
          magnitude,
          maxMagnitude,
          pending: pendingDiff === 0n ? null : { magnitude: magnitude + pendingDiff, effectBlock },
          shares: divideUp(own * magnitude, maxMagnitude),
          leavingShares: divideUp(leaving * magnitude, maxMagnitude),
        };
      }),
    ),
  );
  return exposed.filter((row) => row !== null);
}

/** What shares are worth, smallest units of the strategy's token; null for native stake. */
async function tokensOf(
  rpc: Rpc,
  { strategy, shares, at }: { readonly strategy: Address; readonly shares: bigint; readonly at: Hex },
): Promise<bigint | null> {
  if (isAddressEqual(strategy, NATIVE_STRATEGY)) return null;
  return readEigen(
    rpc,
    { address: strategy, abi: iStrategyAbi, functionName: 'sharesToUnderlyingView', args: [shares] },
    at,
  );
}

function uniqueAddresses(addresses: readonly Address[]): readonly Address[] {
  return addresses.filter(
    (address, index) =>
      address !== zeroAddress && addresses.findIndex((other) => isAddressEqual(other, address)) === index,
  );
}

function sum(amounts: readonly bigint[]): bigint {
  return amounts.reduce((total, amount) => total + amount, 0n);
}

function divideUp(amount: bigint, by: bigint): bigint {
  return (amount + by - 1n) / by;
}
