import { iComplianceRegistryAbi } from '../../chain/contracts/generated/IComplianceRegistry.js';
import { writeMarket, writtenBy, type Written } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';
import { ensureAllowance } from '../tokens/ensureAllowance.js';
import { getBondToken } from '../tokens/stakingToken.js';

export interface PostBondParameters {
  /** Units of the bond token. */
  readonly amount: bigint;
}

/**
 * Adds to the auditor's bond; approves the compliance registry first where needed.
 * Throws the errors of `writeMarket`.
 *
 * @example
 * await postBond(client, { amount: 1_000n * 10n ** 18n });
 */
export async function postBond(client: MarketClient, { amount }: PostBondParameters): Promise<Written> {
  const { address } = await getBondToken(client);
  await ensureAllowance(client, { token: address, spender: client.contracts.complianceRegistry, amount });
  const receipt = await writeMarket(client, {
    address: client.contracts.complianceRegistry,
    abi: iComplianceRegistryAbi,
    functionName: 'postBond',
    args: [amount],
  });
  return writtenBy(receipt);
}
