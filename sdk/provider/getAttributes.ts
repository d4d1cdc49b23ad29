import type { Hex } from 'viem';
import { iProviderAttributesAbi } from '../../chain/contracts/generated/IProviderAttributes.js';
import { readMarket } from '../calls/callMarket.js';
import { readBlock } from '../calls/readBlock.js';
import type { MarketClient } from '../marketClient.js';

export interface GetAttributesParameters {
  readonly providerId: number;
}

/** Hardware of one kind. */
export interface AttributeRow {
  /** Row of the resource table. */
  readonly resourceId: number;
  readonly name: string;
  readonly units: number;
}

/** A provider's hardware of a category. */
export interface Attributes {
  /** What counts for rewards. */
  readonly active: readonly AttributeRow[];
  /** Submitted and not approved yet, with the hash that approves just this; null for nothing. */
  readonly pending: { readonly rows: readonly AttributeRow[]; readonly hash: Hex } | null;
}

/**
 * A provider's hardware: what counts, and what waits for the verifier.
 * Throws the errors of `readMarket`.
 *
 * @example
 * const { cpu, gpu } = await getAttributes(client, { providerId: 2 });
 */
export async function getAttributes(
  client: MarketClient,
  { providerId }: GetAttributesParameters,
): Promise<{ readonly cpu: Attributes; readonly gpu: Attributes }> {
  const { number } = await readBlock(client);
  const [cpu, gpu] = await Promise.all([read(client, providerId, 0, number), read(client, providerId, 1, number)]);
  return { cpu, gpu };
}

/** All of one block, so that the hash is that of the rows. */
async function read(client: MarketClient, providerId: number, category: 0 | 1, block: bigint): Promise<Attributes> {
  const contract = {
    address: client.contracts.providerAttributes,
    abi: iProviderAttributesAbi,
    blockNumber: block,
  } as const;
  const [active, pending, hash] = await Promise.all([
    readMarket(client, { ...contract, functionName: 'activeAttributes', args: [providerId, category] }),
    readMarket(client, { ...contract, functionName: 'pendingAttributes', args: [providerId, category] }),
    readMarket(client, { ...contract, functionName: 'pendingHash', args: [providerId, category] }),
  ]);
  const rows = ([resourceIds, units]: typeof active): Promise<AttributeRow[]> =>
    Promise.all(
      resourceIds.map(async (resourceId, index) => {
        const [, , name] = await readMarket(client, { ...contract, functionName: 'resourceOf', args: [resourceId] });
        return { resourceId, name, units: units[index] ?? 0 };
      }),
    );
  return {
    active: await rows(active),
    pending: BigInt(hash) === 0n ? null : { rows: await rows(pending), hash },
  };
}
