import { parseNetwork } from '../chain/deploy/networkFile.js';
import type { EconomyParameters, MarketParameters } from '../chain/deploy/marketParameters.js';
import { parseEconomy, parsePolicy, parseResources } from '../chain/deploy/termsFile.js';
import { parseAvsTerms, type AvsTerms } from '../chain/eigenlayer/avsTerms.js';
import type { Policy } from '../engine/policy.js';
import devnetAvsTerms from '../config/avs/devnet.json' with { type: 'json' };
import devnetEconomy from '../config/economy/devnet.json' with { type: 'json' };
import devnetNetwork from '../config/networks/devnet.json' with { type: 'json' };
import defaultPolicy from '../config/policies/default.json' with { type: 'json' };
import resourceTable from '../config/resources.json' with { type: 'json' };

/** The default match policy, config/policies/default.json. */
export function loadDefaultPolicy(): Policy {
  return parsePolicy(defaultPolicy);
}

/** The economy of a network whose demo must see eras, unbonding and activation pass: config/economy/devnet.json. */
export function loadDevnetEconomy(): EconomyParameters {
  return parseEconomy(devnetEconomy);
}

/** Under which terms a devnet's operators lose stake: config/avs/devnet.json. */
export function loadDevnetAvsTerms(): AvsTerms {
  return parseAvsTerms(devnetAvsTerms);
}

/** What a network file decides about a market, with its policy, economy and resource table: config/networks/devnet.json. */
export function loadDevnetParameters(): Pick<
  MarketParameters,
  | 'name'
  | 'chainId'
  | 'blockTimeMs'
  | 'economicSecurity'
  | 'arbSys'
  | 'roundLengthBlocks'
  | 'bidWindowBlocks'
  | 'policy'
  | 'economy'
  | 'resources'
> {
  const { name, chainId, blockTimeMs, economicSecurity, arbSys, market } = parseNetwork(devnetNetwork);
  return {
    name,
    chainId,
    blockTimeMs,
    economicSecurity,
    arbSys,
    roundLengthBlocks: market.roundLengthBlocks,
    bidWindowBlocks: market.bidWindowBlocks,
    policy: loadDefaultPolicy(),
    economy: loadDevnetEconomy(),
    resources: parseResources(resourceTable),
  };
}
