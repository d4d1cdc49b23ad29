import type { Address, Hex } from 'viem';
import { iComplianceRegistryAbi } from '../../chain/contracts/generated/IComplianceRegistry.js';
import { eventOf, writeMarket, writtenBy, type Written } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';

export interface SlashAuditorParameters {
  readonly auditor: Address;
  /** At most this much of the bond, token units. */
  readonly amount: bigint;
  readonly evidenceHash: Hex;
}

export interface SlashAuditorReturnType extends Written {
  /** What was taken, token units. */
  readonly amount: bigint;
}

/**
 * Takes a part of an auditor's bond for the treasury. Only the slasher's role.
 * Throws the errors of `writeMarket`.
 *
 * @example
 * const { amount } = await slashAuditor(client, { auditor: '0x…', amount: 10n ** 18n, evidenceHash });
 */
export async function slashAuditor(
  client: MarketClient,
  { auditor, amount, evidenceHash }: SlashAuditorParameters,
): Promise<SlashAuditorReturnType> {
  const contract = { address: client.contracts.complianceRegistry, abi: iComplianceRegistryAbi } as const;
  const receipt = await writeMarket(client, {
    ...contract,
    functionName: 'slashAuditor',
    args: [auditor, amount, evidenceHash],
  });
  const slashed = eventOf(receipt, { ...contract, eventName: 'AuditorSlashed' });
  return { ...writtenBy(receipt), amount: slashed.amount };
}
