import {
  decodeFunctionData,
  encodeFunctionData,
  parseAbi,
  toFunctionSelector,
  type Abi,
  type AbiFunction,
  type Address,
  type Hex,
} from 'viem';
import { iBidAbi } from '../../chain/contracts/generated/IBid.js';
import { iCertificateRegistryAbi } from '../../chain/contracts/generated/ICertificateRegistry.js';
import { iComplianceRegistryAbi } from '../../chain/contracts/generated/IComplianceRegistry.js';
import { iComputeLeaseAbi } from '../../chain/contracts/generated/IComputeLease.js';
import { iEscrowAbi } from '../../chain/contracts/generated/IEscrow.js';
import { iMarketPauseAbi } from '../../chain/contracts/generated/IMarketPause.js';
import { iMatchPolicyAbi } from '../../chain/contracts/generated/IMatchPolicy.js';
import { iMatchSettlementAbi } from '../../chain/contracts/generated/IMatchSettlement.js';
import { iOrderRequestAbi } from '../../chain/contracts/generated/IOrderRequest.js';
import { iProviderAdmissionAbi } from '../../chain/contracts/generated/IProviderAdmission.js';
import { iProviderAttributesAbi } from '../../chain/contracts/generated/IProviderAttributes.js';
import { iProviderRegistryAbi } from '../../chain/contracts/generated/IProviderRegistry.js';
import { iRewarderAbi } from '../../chain/contracts/generated/IRewarder.js';
import { iRewardOracleAbi } from '../../chain/contracts/generated/IRewardOracle.js';
import { iSignedCallsAbi } from '../../chain/contracts/generated/ISignedCalls.js';
import { iStakingManagerAbi } from '../../chain/contracts/generated/IStakingManager.js';
import { iTokenRegistryAbi } from '../../chain/contracts/generated/ITokenRegistry.js';
import { marketAuthorityAbi } from '../../chain/contracts/generated/MarketAuthority.js';
import { nearest } from '../../protocol/icl/nearest.js';
import type { MarketClient, MarketContracts } from '../marketClient.js';
import { CallArgumentInvalidError, readArguments } from './abiArguments.js';

/** Every proxy of the market takes new code by this function; the interfaces of the contracts leave it out. */
export const upgradeAbi = parseAbi(['function upgradeToAndCall(address newImplementation, bytes data) payable']);

const CALLS: Readonly<Record<keyof MarketContracts, Abi>> = {
  accessManager: marketAuthorityAbi,
  marketPause: [...iMarketPauseAbi, ...upgradeAbi],
  tokenRegistry: [...iTokenRegistryAbi, ...upgradeAbi],
  matchPolicy: [...iMatchPolicyAbi, ...upgradeAbi],
  stakingManager: [...iStakingManagerAbi, ...upgradeAbi],
  complianceRegistry: [...iComplianceRegistryAbi, ...upgradeAbi],
  providerRegistry: iProviderRegistryAbi,
  providerAdmission: [...iProviderAdmissionAbi, ...upgradeAbi],
  providerAttributes: [...iProviderAttributesAbi, ...upgradeAbi],
  certificateRegistry: [...iCertificateRegistryAbi, ...upgradeAbi],
  escrow: [...iEscrowAbi, ...upgradeAbi],
  orderRequest: iOrderRequestAbi,
  bid: [...iBidAbi, ...upgradeAbi],
  computeLease: [...iComputeLeaseAbi, ...upgradeAbi],
  matchSettlement: iMatchSettlementAbi,
  signedCalls: [...iSignedCallsAbi, ...upgradeAbi],
  rewardOracle: [...iRewardOracleAbi, ...upgradeAbi],
  rewarder: [...iRewarderAbi, ...upgradeAbi],
};

/** Contracts of a market by name, as `deployment.contracts` has them. */
export type ContractName = keyof MarketContracts;

/** A call of a contract of the market, as the authority schedules and executes it. */
export interface MarketCall {
  readonly contract: ContractName;
  readonly target: Address;
  readonly functionName: string;
  readonly args: readonly unknown[];
  readonly data: Hex;
}

/** The ABI of everything that can be called on a contract of the market, its upgrade included. */
export function callsOf(contract: ContractName): Abi {
  return CALLS[contract];
}

/** State-changing functions of a contract. */
export function functionsOf(contract: ContractName): readonly AbiFunction[] {
  return CALLS[contract].filter(
    (item): item is AbiFunction =>
      item.type === 'function' && (item.stateMutability === 'nonpayable' || item.stateMutability === 'payable'),
  );
}

/**
 * A call of a contract from its function's name and JSON values.
 * Throws CallArgumentInvalidError.
 *
 * @example
 * const call = marketCall(client, { contract: 'orderRequest', functionName: 'setBidWindowBlocks', args: [40] });
 */
export function marketCall(
  client: Pick<MarketClient, 'contracts'>,
  of: { readonly contract: ContractName; readonly functionName: string; readonly args: readonly unknown[] },
): MarketCall {
  const { contract, functionName } = of;
  const known = functionsOf(contract);
  const found = known.find(({ name }) => name === functionName);
  if (found === undefined) {
    const names = known.map(({ name }) => name);
    const near = nearest(functionName, names);
    throw new CallArgumentInvalidError(
      'function',
      `${contract} has no ${functionName} that changes anything; ${near === null ? `it has ${names.join(', ')}` : `did you mean ${near}?`}`,
    );
  }
  const args = readArguments(found.inputs, of.args);
  return {
    contract,
    target: client.contracts[contract],
    functionName,
    args,
    data: encodeFunctionData({ abi: [found], functionName, args }),
  };
}

/** What a call says, null when it is none of a contract of this market. */
export function decodeMarketCall(
  client: Pick<MarketClient, 'contracts'>,
  { target, data }: { readonly target: Address; readonly data: Hex },
): MarketCall | null {
  for (const contract of Object.keys(CALLS) as ContractName[]) {
    if (client.contracts[contract].toLowerCase() !== target.toLowerCase()) continue;
    try {
      const { functionName, args = [] } = decodeFunctionData({ abi: CALLS[contract], data });
      return { contract, target, functionName, args, data };
    } catch {
      return null;
    }
  }
  return null;
}

/** Selector of a function of a contract. */
export function selectorOf(call: Pick<MarketCall, 'data'>): Hex {
  return `0x${call.data.slice(2, 10)}`;
}

/** Selector of a function. */
export function functionSelector(of: AbiFunction): Hex {
  return toFunctionSelector(of);
}
