import { encodeFunctionData, parseEther, parseUnits, type Address } from 'viem';
import { devnetTokenAbi } from '../chain/contracts/generated/DevnetToken.js';
import type { Deployment } from '../chain/deployment.js';
import { writeMarket } from '../sdk/calls/callMarket.js';
import { createMarketClient } from '../sdk/marketClient.js';
import { listTokens } from '../sdk/tokens/listTokens.js';
import { getStakingToken } from '../sdk/tokens/stakingToken.js';
import { devAccounts, STAKE_CHAIN_MNEMONIC } from './devAccounts.js';
import { connectDevnetChain } from './devnetChain.js';

export interface FundAccountOptions {
  readonly deployment: Deployment;
  readonly rpcUrl: string;
  /** Of the stake chain where it is another; the account gets gas and the staked token there too. */
  readonly stakeRpcUrl?: string | undefined;
  readonly account: Address;
}

/** What an account was given, whole tokens by symbol; ETH is the chain's own coin. */
export type FundedAmounts = Readonly<Record<string, number>>;

const GAS_ETHER = 10;
const WHOLE_TOKENS = 1_000_000;
const STAKE_DECIMALS = 18;

/**
 * Gives an account of a devnet gas and a million of every token of its market: payment tokens and the staking token. Sends from the first
 * account of the chain's mnemonic, which the devnet's node funds. Throws the errors of `writeMarket`, and TransactionRevertedError.
 */
export async function fundAccount({
  deployment,
  rpcUrl,
  stakeRpcUrl,
  account,
}: FundAccountOptions): Promise<FundedAmounts> {
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
  if (stakeRpcUrl !== undefined) await fundOnStakeChain(stakeRpcUrl, deployment, account);
  return {
    ETH: GAS_ETHER,
    ...Object.fromEntries(tokens.map(({ symbol }) => [symbol, WHOLE_TOKENS])),
  };
}

async function fundOnStakeChain(url: string, { stakeToken }: Deployment, account: Address): Promise<void> {
  const chain = await connectDevnetChain({ url, mnemonic: STAKE_CHAIN_MNEMONIC });
  try {
    const lane = chain.lane(chain.nextAccount().privateKey);
    const amount = parseUnits(String(WHOLE_TOKENS), STAKE_DECIMALS);
    await Promise.all([
      lane.run({
        to: stakeToken,
        data: encodeFunctionData({ abi: devnetTokenAbi, functionName: 'mint', args: [account, amount] }),
        label: 'mint stake tokens',
      }),
      lane.run({ to: account, data: '0x', valueWei: parseEther(String(GAS_ETHER)), label: 'give gas' }),
    ]);
  } finally {
    await chain.stop();
  }
}
