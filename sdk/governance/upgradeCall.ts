import { parseAbi, type Address, type Hex } from 'viem';
import { MatchmakerError } from '../../engine/error.js';
import { readMarket } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';
import { functionsOf, marketCall, type ContractName, type MarketCall } from './marketCall.js';

/** Where ERC-1967 proxies keep their code's address: keccak256("eip1967.proxy.implementation") - 1. */
const IMPLEMENTATION_SLOT = '0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc';
const proxiableAbi = parseAbi(['function proxiableUUID() view returns (bytes32)']);

export interface UpgradeCallParameters {
  readonly contract: ContractName;
  /** Deployed with the same market's addresses as the code of now. */
  readonly implementation: Address;
  /** Call that the new code makes of itself in the upgrade; none when left out. */
  readonly data?: Hex;
}

/** A contract cannot get this code. */
export class UpgradeInvalidError extends MatchmakerError<'UPGRADE_INVALID'> {
  constructor(problem: string, fix: string) {
    super('UPGRADE_INVALID', `${problem}; ${fix}`, { metadata: { problem, fix } });
  }
}

/**
 * The call that replaces the code of a contract of the market, for `scheduleCall`. It is tried first whether the new code is one that a
 * proxy takes, because what is wrong would else come out after the delay.
 * Throws UpgradeInvalidError and the errors of `readMarket`.
 *
 * @example
 * const call = await upgradeCall(client, { contract: 'escrow', implementation: '0x…' });
 * const { operationId } = await scheduleCall(client, { call });
 */
export async function upgradeCall(
  client: MarketClient,
  { contract, implementation, data = '0x' }: UpgradeCallParameters,
): Promise<MarketCall> {
  if (!functionsOf(contract).some(({ name }) => name === 'upgradeToAndCall')) {
    throw new UpgradeInvalidError(`${contract} is no proxy`, 'it stays as it is; a new market is deployed beside it');
  }
  const slot = await readMarket(client, {
    address: implementation,
    abi: proxiableAbi,
    functionName: 'proxiableUUID',
    args: [],
  }).catch((error: unknown) => {
    if (
      error instanceof MatchmakerError &&
      (error.code === 'CONTRACT_ABSENT' || error.code === 'MARKET_CALL_REFUSED')
    ) {
      throw new UpgradeInvalidError(
        `${implementation} is no upgradeable code`,
        'deploy the implementation, not a proxy',
      );
    }
    throw error;
  });
  if (slot !== IMPLEMENTATION_SLOT) {
    throw new UpgradeInvalidError(`${implementation} is not made for proxies of the market`, 'inherit MarketModule');
  }
  return marketCall(client, { contract, functionName: 'upgradeToAndCall', args: [implementation, data] });
}
