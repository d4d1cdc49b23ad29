import { iAllocationManagerAbi } from '../contracts/generated/IAllocationManager.js';
import { ecdsaTableCalculatorAbi } from '../contracts/generated/EcdsaTableCalculator.js';
import { iCrossChainRegistryAbi } from '../contracts/generated/ICrossChainRegistry.js';
import type { Deployment } from '../deployment.js';
import type { Rpc } from '../rpc/rpc.js';
import { readEigen } from './eigenCall.js';
import { INCLUSION_MARGIN_SECONDS, slashingWindow, type SlashingWindow } from './slashingWindow.js';

/**
 * Compares the stake chain's live delays with what slashing needs, for an operator set that has its calculator. The age of a table is
 * bounded by the registry and by settlement's policy; the longer bound counts, because either may be changed to the other.
 * Throws EigenCallRevertedError and the errors of the RPC.
 */
export async function readSlashingWindow(
  parameters: {
    readonly eigenlayer: Pick<Deployment['eigenlayer'], 'allocationManager' | 'crossChainRegistry'>;
    readonly operatorSet: Deployment['operatorSet'];
    readonly stake: Pick<Deployment['stake'], 'calculator' | 'blockTimeMs'>;
    /** How long after its snapshot a batch can be proven wrong, seconds. */
    readonly challengeWindowSeconds: number;
    /** The policy's bound on a table's age, seconds; absent where only the registry's is known. */
    readonly policyMaxTableAgeSeconds?: number;
  },
  { stakeRpc }: { readonly stakeRpc: Rpc },
): Promise<SlashingWindow> {
  const { eigenlayer, operatorSet, stake } = parameters;
  const [deallocationDelayBlocks, { maxStalenessPeriod }, lookaheadBlocks] = await Promise.all([
    readEigen(stakeRpc, {
      address: eigenlayer.allocationManager,
      abi: iAllocationManagerAbi,
      functionName: 'DEALLOCATION_DELAY',
      args: [],
    }),
    readEigen(stakeRpc, {
      address: eigenlayer.crossChainRegistry,
      abi: iCrossChainRegistryAbi,
      functionName: 'getOperatorSetConfig',
      args: [operatorSet],
    }),
    readEigen(stakeRpc, {
      address: stake.calculator,
      abi: ecdsaTableCalculatorAbi,
      functionName: 'LOOKAHEAD_BLOCKS',
      args: [],
    }),
  ]);
  return slashingWindow({
    maxTableAgeSeconds:
      maxStalenessPeriod === 0 ? 0 : Math.max(maxStalenessPeriod, parameters.policyMaxTableAgeSeconds ?? 0),
    challengeWindowSeconds: parameters.challengeWindowSeconds,
    vetoSeconds: 0,
    inclusionMarginSeconds: INCLUSION_MARGIN_SECONDS,
    deallocationDelayBlocks,
    lookaheadBlocks,
    blockTimeMs: stake.blockTimeMs,
  });
}
