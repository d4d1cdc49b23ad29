import {
  decodeFunctionResult,
  encodeFunctionData,
  erc20Abi,
  parseAbi,
  zeroAddress,
  type Address,
  type Hex,
} from 'viem';
import { RpcAnswerError, type Rpc } from '../rpc/rpc.js';
import { callAt, codeAt } from '../rpc/rpcCall.js';
import type { MarketParameters } from './marketParameters.js';
import { MarketSetupInvalidError } from './marketSetupFile.js';
import { tableSourceOf } from './quorumVerifier.js';

/** Of the tokens that stakes and rewards are counted in. */
const TOKEN_DECIMALS = 18;
const feedAbi = parseAbi([
  'function latestRoundData() view returns (uint80 roundId, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound)',
]);

/**
 * Makes sure that the chain has what a market is told of for good: tokens with their decimals, feeds that answer, and the contracts that
 * operator tables arrive at. Sends nothing. Throws MarketSetupInvalidError with all problems at once, and the errors of the RPC.
 */
export async function probeMarketSetup(
  parameters: Pick<
    MarketParameters,
    'stakingToken' | 'rewardToken' | 'paymentTokens' | 'feeds' | 'quorum' | 'stakeSide'
  >,
  { rpc }: { readonly rpc: Rpc },
): Promise<void> {
  const { stakingToken, rewardToken, paymentTokens, feeds, quorum, stakeSide } = parameters;
  const { operatorTableUpdater } = stakeSide.eigenlayer;
  const problems = await Promise.all([
    tokenProblem(rpc, 'stakingToken', stakingToken, TOKEN_DECIMALS),
    tokenProblem(rpc, 'rewardToken', rewardToken, TOKEN_DECIMALS),
    ...paymentTokens.map(({ address }, index) => tokenProblem(rpc, `paymentTokens.${index}.address`, address)),
    priceProblem(rpc, 'feeds.rewardToken', feeds.rewardToken),
    priceProblem(rpc, 'feeds.native', feeds.native),
    feeds.sequencer === zeroAddress ? null : codeProblem(rpc, 'feeds.sequencer', feeds.sequencer),
    ...(quorum.receiver === undefined
      ? [
          codeProblem(rpc, `eigenlayer's verifier of ${quorum.curve} certificates`, tableSourceOf(quorum, stakeSide)),
          codeProblem(rpc, 'eigenlayer.operatorTableUpdater', operatorTableUpdater),
        ]
      : [codeProblem(rpc, 'quorum.receiver', quorum.receiver)]),
  ]);
  const named = problems.filter((problem) => problem !== null);
  const repeated = paymentTokens.flatMap(({ address }, index) => {
    const first = paymentTokens.findIndex((other) => other.address === address);
    return first === index ? [] : [`paymentTokens.${index}.address: is token ${first + 1} already; name each once`];
  });
  if (named.length + repeated.length > 0) throw new MarketSetupInvalidError([...named, ...repeated]);
}

async function codeProblem(rpc: Rpc, path: string, address: Address): Promise<string | null> {
  const code = await rpc.request(codeAt(address, 'latest'));
  return code === '0x' ? `${path}: the chain has no code at ${address}; check the address and the RPC URL` : null;
}

async function tokenProblem(rpc: Rpc, path: string, address: Address, wanted?: number): Promise<string | null> {
  const missing = await codeProblem(rpc, path, address);
  if (missing !== null) return missing;
  const data = encodeFunctionData({ abi: erc20Abi, functionName: 'decimals' });
  const decimals = await answered(rpc, address, data, (result) =>
    decodeFunctionResult({ abi: erc20Abi, functionName: 'decimals', data: result }),
  );
  if (decimals === null) return `${path}: ${address} does not say its decimals; name an ERC-20 token`;
  if (wanted === undefined || decimals === wanted) return null;
  return `${path}: ${address} has ${decimals} decimals; name a token of ${wanted}`;
}

async function priceProblem(rpc: Rpc, path: string, address: Address): Promise<string | null> {
  const missing = await codeProblem(rpc, path, address);
  if (missing !== null) return missing;
  const data = encodeFunctionData({ abi: feedAbi, functionName: 'latestRoundData' });
  const price = await answered(
    rpc,
    address,
    data,
    (result) => decodeFunctionResult({ abi: feedAbi, functionName: 'latestRoundData', data: result })[1],
  );
  return price !== null && price > 0n ? null : `${path}: ${address} gives no price; name a Chainlink feed in USD`;
}

/** What a contract answers; null when it refuses, or answers something else. */
async function answered<Answer>(
  rpc: Rpc,
  to: Address,
  data: Hex,
  decode: (result: Hex) => Answer,
): Promise<Answer | null> {
  let result: Hex;
  try {
    result = await rpc.request(callAt({ to, data }, 'latest'));
  } catch (error) {
    if (error instanceof RpcAnswerError) return null;
    throw error;
  }
  try {
    return decode(result);
  } catch {
    return null;
  }
}
