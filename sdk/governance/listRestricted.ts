import type { AbiFunction } from 'viem';
import { marketAuthorityAbi } from '../../chain/contracts/generated/MarketAuthority.js';
import { readMarket } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';
import { functionSelector, functionsOf, type ContractName } from './marketCall.js';

export interface ListRestrictedParameters {
  readonly contract: ContractName;
}

/** A function that only a role may call. */
export interface RestrictedFunction {
  readonly function: AbiFunction;
  readonly roleId: bigint;
}

/**
 * Functions of a contract that the authority gives to a role other than the administrator's.
 * Throws the errors of `readMarket`.
 *
 * @example
 * const restricted = await listRestricted(client, { contract: 'escrow' });
 */
export async function listRestricted(
  client: MarketClient,
  { contract }: ListRestrictedParameters,
): Promise<readonly RestrictedFunction[]> {
  const found = await Promise.all(
    functionsOf(contract).map(async (of) => ({
      function: of,
      roleId: await readMarket(client, {
        address: client.contracts.accessManager,
        abi: marketAuthorityAbi,
        functionName: 'getTargetFunctionRole',
        args: [client.contracts[contract], functionSelector(of)],
      }),
    })),
  );
  // What the authority does not know of reads as the administrator's.
  return found.filter(({ roleId }) => roleId !== 0n);
}
