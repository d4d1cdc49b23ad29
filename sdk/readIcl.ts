import type { Address } from 'viem';
import capabilities from '../config/catalogue/capabilities.json' with { type: 'json' };
import gpuModels from '../config/catalogue/gpuModels.json' with { type: 'json' };
import regions from '../config/catalogue/regions.json' with { type: 'json' };
import type { IclOrders } from '../protocol/icl/parseIcl.js';
import { parseIcl } from '../protocol/icl/parseIcl.js';
import type { IclTables } from '../protocol/icl/iclTables.js';
import { IclInvalidError } from '../protocol/icl/iclProblem.js';
import type { MarketClient } from './marketClient.js';
import { getProviderIdOf } from './provider/getProvider.js';
import { listTokens } from './tokens/listTokens.js';

/** The standard catalogue: names of GPU models, regions and capabilities. */
export const CATALOGUE: Omit<IclTables, 'tokens'> = { gpuModels, regions, capabilities };

/**
 * Reads an ICL document with the standard catalogue, the market's tokens, and its providers by their owners' addresses.
 * Throws IclInvalidError with all problems at once, and the errors of `readMarket`.
 *
 * @example
 * const { orders } = await readIcl(client, { text: readFileSync('training.icl.yaml', 'utf8') });
 * for (const { spec } of orders) await createOrder(client, { spec, expiresAtSeconds });
 */
export async function readIcl(client: MarketClient, { text }: { readonly text: string }): Promise<IclOrders> {
  const accepted = (await listTokens(client)).filter(({ approved }) => approved);
  const tables = { ...CATALOGUE, tokens: Object.fromEntries(accepted.map(({ symbol, tokenId }) => [symbol, tokenId])) };
  // Reading is pure: the first pass only finds out which owners the document names.
  const named = new Set<Address>();
  try {
    parseIcl(text, {
      tables,
      resolveProvider: (owner) => {
        named.add(owner);
        return 1;
      },
    });
  } catch (error) {
    // The second pass tells of the problems, with the owners that own nothing among them.
    if (!(error instanceof IclInvalidError)) throw error;
  }
  const providers = new Map<Address, number | null>();
  for (const owner of named) providers.set(owner, await getProviderIdOf(client, { owner }));
  return parseIcl(text, { tables, resolveProvider: (owner) => providers.get(owner) ?? null });
}
