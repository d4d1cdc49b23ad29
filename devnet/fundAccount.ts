import { parseEther, parseUnits, type Address } from 'viem';
import { devnetTokenAbi } from '../chain/contracts/generated/DevnetToken.js';
import type { Deployment } from '../chain/deployment.js';
import { writeMarket } from '../sdk/calls/callMarket.js';
import { createMarketClient } from '../sdk/marketClient.js';
import { listTokens } from '../sdk/tokens/listTokens.js';
import { getStakingToken } from '../sdk/tokens/stakingToken.js';
import { devAccounts } from './devAccounts.js';

export interface FundAccountOptions {
  readonly deployment: Deployment;
  readonly rpcUrl: string;
  readonly account: Address;
}

/** What an account was given, whole tokens by symbol; ETH is the chain's own coin. */
export type FundedAmounts = Readonly<Record<string, number>>;

const GAS_ETHER = 10;
const WHOLE_TOKENS = 1_000_000;

/**
 * Gives an account of a devnet gas and a million of every token of its market: payment tokens and the staking token. Sends from the first
 * account of the well-known mnemonic, which the devnet's node funds. Throws the errors of `writeMarket`.
 */
export async function fundAccount({ deployment, rpcUrl, account }: FundAccountOptions): Promise<FundedAmounts> {
  const client = createMarketClient({ deployment, rpcUrl, account: devAccounts()(0).account });
  const tokens = [...(await listTokens(client)), await getStakingToken(client)];
  for (const { address, decimals } of tokens) {
    await writeMarket(client, {
      address,
      abi: devnetTokenAbi,
      functionName: 'mint',
      args: [account, parseUnits(String(WHOLE_TOKENS), decimals)],
    });
  }
  const hash = await client.walletClient?.sendTransaction({ to: account, value: parseEther(String(GAS_ETHER)) });
  if (hash !== undefined) await client.publicClient.waitForTransactionReceipt({ hash });
  return {
    ETH: GAS_ETHER,
    ...Object.fromEntries(tokens.map(({ symbol }) => [symbol, WHOLE_TOKENS])),
  };
}
