import type { Address } from 'viem';
import { iAllocationManagerAbi } from '../contracts/generated/IAllocationManager.js';
import { iDelegationManagerAbi } from '../contracts/generated/IDelegationManager.js';
import { iMatchmakerSlasherAbi } from '../contracts/generated/IMatchmakerSlasher.js';
import { iSlashVaultAbi } from '../contracts/generated/ISlashVault.js';
import type { Deployment } from '../deployment.js';
import { EigenCallRevertedError, readEigen } from '../eigenlayer/eigenCall.js';
import { readSlashingWindow } from '../eigenlayer/readSlashingWindow.js';
import type { SlashingWindow } from '../eigenlayer/slashingWindow.js';
import type { Rpc } from '../rpc/rpc.js';
import { codeAt, type Block } from '../rpc/rpcCall.js';

/** The judge's faults, in the order of the contract's enum. */
export const FAULTS = ['Equivocation', 'WrongRecord', 'BetterCandidate', 'UnknownName', 'OmittedOrder'] as const;

/** A reason for which operators lose stake. */
export interface SlashingCondition {
  readonly fault: (typeof FAULTS)[number];
  /** Of what the operator allocates to the set when it is slashed, out of 1e18. */
  readonly wad: bigint;
}

/** What the judge's slasher does; its parameters never change. */
export interface SlasherTerms {
  readonly conditions: readonly SlashingCondition[];
  /** How long after its snapshot a batch can be proven wrong, seconds. */
  readonly challengeWindowSeconds: number;
  readonly judge: Address;
  readonly vault: Address;
  /** Of what is slashed, to who proved it. */
  readonly challengerBps: number;
  /** The most of it that the wronged tenant gets. */
  readonly victimBps: number;
  /** For which the rest waits for the tenant that was wronged, before it goes to the treasury, seconds. */
  readonly claimPeriodSeconds: number;
  readonly treasury: Address;
}

/** Who can slash an operator set, for what, and how long everything takes; all live values. */
export interface SetTerms {
  readonly slasher: Address;
  /** Another slasher that takes over in that block. */
  readonly pendingSlasher: { readonly slasher: Address; readonly effectBlock: number } | null;
  /** Null where the slasher is not the judge's: whoever holds it may slash all that is allocated, at any time. */
  readonly slasherTerms: SlasherTerms | null;
  /** Where slashed stake goes; burnt where the set does not redistribute. */
  readonly redistributionRecipient: Address;
  readonly isRedistributing: boolean;
  /** Blocks of the stake chain. */
  readonly deallocationDelayBlocks: number;
  readonly withdrawalDelayBlocks: number;
  readonly allocationConfigurationDelayBlocks: number;
  readonly slasherConfigurationDelayBlocks: number;
  /** Whether slashing reaches stake that leaves right after a wrong signature; null without a challenge window to compare with. */
  readonly window: SlashingWindow | null;
}

/**
 * Reads who can slash the market's operator set, for what, and all delays, from the stake chain.
 * Throws EigenCallRevertedError and the errors of the RPC.
 */
export async function readSetTerms(
  deployment: Pick<Deployment, 'eigenlayer' | 'operatorSet' | 'stake'>,
  rpc: Rpc,
  options: {
    readonly head: Block;
    /** The market's own bound on a table's age, seconds. */
    readonly policyMaxTableAgeSeconds?: number;
  },
): Promise<SetTerms> {
  const { eigenlayer, operatorSet } = deployment;
  const at = options.head.hash;
  const manager = { address: eigenlayer.allocationManager, abi: iAllocationManagerAbi };
  const [slasher, [pendingSlasher, effectBlock], recipient, isRedistributing] = await Promise.all([
    readEigen(rpc, { ...manager, functionName: 'getSlasher', args: [operatorSet] }, at),
    readEigen(rpc, { ...manager, functionName: 'getPendingSlasher', args: [operatorSet] }, at),
    readEigen(rpc, { ...manager, functionName: 'getRedistributionRecipient', args: [operatorSet] }, at),
    readEigen(rpc, { ...manager, functionName: 'isRedistributingOperatorSet', args: [operatorSet] }, at),
  ]);
  const [deallocation, allocationConfiguration, slasherConfiguration, withdrawal] = await Promise.all([
    readEigen(rpc, { ...manager, functionName: 'DEALLOCATION_DELAY', args: [] }, at),
    readEigen(rpc, { ...manager, functionName: 'ALLOCATION_CONFIGURATION_DELAY', args: [] }, at),
    readEigen(rpc, { ...manager, functionName: 'SLASHER_CONFIGURATION_DELAY', args: [] }, at),
    readEigen(
      rpc,
      {
        address: eigenlayer.delegationManager,
        abi: iDelegationManagerAbi,
        functionName: 'minWithdrawalDelayBlocks',
        args: [],
      },
      at,
    ),
  ]);
  const slasherTerms = await readSlasherTerms(rpc, slasher, options.head);
  const { policyMaxTableAgeSeconds } = options;
  return {
    slasher,
    pendingSlasher: effectBlock === 0 ? null : { slasher: pendingSlasher, effectBlock },
    slasherTerms,
    redistributionRecipient: recipient,
    isRedistributing,
    deallocationDelayBlocks: deallocation,
    withdrawalDelayBlocks: withdrawal,
    allocationConfigurationDelayBlocks: allocationConfiguration,
    slasherConfigurationDelayBlocks: slasherConfiguration,
    window:
      slasherTerms === null
        ? null
        : await readSlashingWindow(
            {
              ...deployment,
              challengeWindowSeconds: slasherTerms.challengeWindowSeconds,
              ...(policyMaxTableAgeSeconds === undefined ? {} : { policyMaxTableAgeSeconds }),
            },
            { stakeRpc: rpc },
          ),
  };
}

async function readSlasherTerms(rpc: Rpc, slasher: Address, { hash }: Block): Promise<SlasherTerms | null> {
  if ((await rpc.request(codeAt(slasher, hash))) === '0x') return null;
  const contract = { address: slasher, abi: iMatchmakerSlasherAbi };
  try {
    const [challengeWindowSeconds, judge, vault] = await Promise.all([
      readEigen(rpc, { ...contract, functionName: 'challengeWindowSeconds', args: [] }, hash),
      readEigen(rpc, { ...contract, functionName: 'judge', args: [] }, hash),
      readEigen(rpc, { ...contract, functionName: 'vault', args: [] }, hash),
    ]);
    const conditions = await Promise.all(
      FAULTS.map(async (fault, index) => ({
        fault,
        wad: await readEigen(rpc, { ...contract, functionName: 'wadOf', args: [index] }, hash),
      })),
    );
    const pot = { address: vault, abi: iSlashVaultAbi };
    const [challengerBps, victimBps, claimPeriodSeconds, treasury] = await Promise.all([
      readEigen(rpc, { ...pot, functionName: 'challengerBps', args: [] }, hash),
      readEigen(rpc, { ...pot, functionName: 'victimBps', args: [] }, hash),
      readEigen(rpc, { ...pot, functionName: 'claimPeriodSeconds', args: [] }, hash),
      readEigen(rpc, { ...pot, functionName: 'treasury', args: [] }, hash),
    ]);
    return { conditions, challengeWindowSeconds, judge, vault, challengerBps, victimBps, claimPeriodSeconds, treasury };
  } catch (error) {
    // Some other contract, which knows none of these.
    if (error instanceof EigenCallRevertedError) return null;
    throw error;
  }
}
