import { parseNetwork, type Network } from '../chain/deploy/networkFile.js';
import type { MarketParameters } from '../chain/deploy/marketParameters.js';
import { parseEconomy, parsePolicy, parseResources } from '../chain/deploy/termsFile.js';
import { parseAvsTerms, type AvsTerms } from '../chain/eigenlayer/avsTerms.js';
import defaultAvs from '../config/avs/default.json' with { type: 'json' };
import devnetAvs from '../config/avs/devnet.json' with { type: 'json' };
import defaultEconomy from '../config/economy/default.json' with { type: 'json' };
import devnetEconomy from '../config/economy/devnet.json' with { type: 'json' };
import base from '../config/networks/base.json' with { type: 'json' };
import baseSepolia from '../config/networks/baseSepolia.json' with { type: 'json' };
import devnet from '../config/networks/devnet.json' with { type: 'json' };
import hoodi from '../config/networks/hoodi.json' with { type: 'json' };
import mainnet from '../config/networks/mainnet.json' with { type: 'json' };
import sepolia from '../config/networks/sepolia.json' with { type: 'json' };
import defaultPolicy from '../config/policies/default.json' with { type: 'json' };
import resources from '../config/resources.json' with { type: 'json' };
import { readJsonFile } from '../service/readJsonFile.js';
import { InvalidFlagError } from './usage.js';

const NETWORKS: Readonly<Record<string, unknown>> = { mainnet, sepolia, hoodi, base, baseSepolia, devnet };
const AVS_TERMS: Readonly<Record<Network['avs'], unknown>> = { default: defaultAvs, devnet: devnetAvs };
const POLICIES: Readonly<Record<Network['market']['policy'], unknown>> = { default: defaultPolicy };
const ECONOMIES: Readonly<Record<Network['market']['economy'], unknown>> = {
  default: defaultEconomy,
  devnet: devnetEconomy,
};

/** Names of the networks that come with the command. */
export const NETWORK_NAMES = Object.keys(NETWORKS);

/** The network of that name, or of that file, which `flag` names. Throws InvalidFlagError, ConfigInvalidError and NetworkInvalidError. */
export function networkOf(nameOrFile: string, flag = '--network'): Network {
  const known = NETWORKS[nameOrFile];
  if (known !== undefined) return parseNetwork(known);
  if (!nameOrFile.endsWith('.json')) {
    const names = NETWORK_NAMES.join(', ');
    throw new InvalidFlagError(flag, `${nameOrFile} is unknown`, `use ${names}, or a JSON file like them`);
  }
  return parseNetwork(readJsonFile('network', nameOrFile));
}

/** The terms of an operator set on that network. */
export function avsTermsOf(network: Network): AvsTerms {
  return parseAvsTerms(AVS_TERMS[network.avs]);
}

/** What the network decides about a market on it. */
export function marketTermsOf({
  name,
  chainId,
  blockTimeMs,
  arbSys,
  market,
}: Network): Pick<
  MarketParameters,
  | 'name'
  | 'chainId'
  | 'blockTimeMs'
  | 'arbSys'
  | 'roundLengthBlocks'
  | 'bidWindowBlocks'
  | 'policy'
  | 'economy'
  | 'resources'
> {
  const { roundLengthBlocks, bidWindowBlocks } = market;
  return {
    name,
    chainId,
    blockTimeMs,
    arbSys,
    roundLengthBlocks,
    bidWindowBlocks,
    policy: parsePolicy(POLICIES[market.policy]),
    economy: parseEconomy(ECONOMIES[market.economy]),
    resources: parseResources(resources),
  };
}
