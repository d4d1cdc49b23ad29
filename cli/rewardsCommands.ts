import { writeFileSync } from 'node:fs';

import { InvalidArgumentError, type Command } from 'commander';
import { formatUnits, parseAbi, parseUnits, type Address } from 'viem';
import { z } from 'zod';

import { iRewarderAbi } from '../chain/contracts/generated/IRewarder.js';
import { iRewardOracleAbi } from '../chain/contracts/generated/IRewardOracle.js';
import { computeDistribution, type Distribution } from '../chain/rewards/computeDistribution.js';
import {
  formatDistribution,
  parseDistribution,
  type PublishedDistribution,
} from '../chain/rewards/distributionFile.js';
import { readRewardHistory, type RewardHistory } from '../chain/rewards/rewardHistory.js';
import { readTierChanges, type DueTierChange } from '../chain/rewards/readTierChanges.js';
import { verifyRoot } from '../chain/rewards/verifyRoot.js';
import { createRpc, type Rpc } from '../chain/rpc/rpc.js';
import { latestBlock } from '../chain/rpc/rpcCall.js';
import { MatchmakerError } from '../engine/error.js';
import { idleSecondsOf } from '../protocol/rewards/idleSeconds.js';
import { readMarket } from '../sdk/calls/callMarket.js';
import { readBlock } from '../sdk/calls/readBlock.js';
import { requireAccount, type MarketClient } from '../sdk/marketClient.js';
import { claimRewards } from '../sdk/rewards/claimRewards.js';
import { closeEra } from '../sdk/rewards/closeEra.js';
import { contestRoot } from '../sdk/rewards/contestRoot.js';
import { disableRoot } from '../sdk/rewards/disableRoot.js';
import { fundRewards } from '../sdk/rewards/fundRewards.js';
import { getRewardStatus } from '../sdk/rewards/getRewardStatus.js';
import { postResults } from '../sdk/rewards/postResults.js';
import { proposeRoot } from '../sdk/rewards/proposeRoot.js';
import { resolveContest } from '../sdk/rewards/resolveContest.js';
import { setRewardWallet } from '../sdk/rewards/setRewardWallet.js';
import { withdrawRewardCredit } from '../sdk/rewards/withdrawRewardCredit.js';
import { readJsonFile } from '../service/readJsonFile.js';
import { addReadFlags, addWriteFlags, openReader, openWriter, type ReadFlags, type WriteFlags } from './marketFlags.js';
import { printResult } from './marketOutput.js';
import { registerOperatorRewardsCommands } from './operatorRewardsCommands.js';
import { integer } from './usage.js';

/** What `rewards verify` ends with when a proposed root is not what the rules give. */
export class RootWrongError extends MatchmakerError<'ROOT_WRONG'> {
  constructor(era: number, differences: readonly string[]) {
    super(
      'ROOT_WRONG',
      `the root proposed for era ${era} is wrong in ${differences.join(', ')}: contest it with rewards contest --era ${era}`,
      { metadata: { era, differences } },
    );
  }
}

/** No root is active, so there is nothing to claim from. */
export class NothingActiveError extends MatchmakerError<'NOTHING_ACTIVE'> {
  constructor() {
    super('NOTHING_ACTIVE', 'no root is active yet: see rewards status', { retryable: true });
  }
}

type Print = (line: string) => void;

const ERC20 = parseAbi(['function decimals() view returns (uint8)', 'function symbol() view returns (string)']);
const RPC_TIMEOUT_MS = 30_000;
/** State of a root that is neither contested nor disabled; past its delay it is active. */
const ROOT_PENDING = 1;

/** Registers `rewards ...`: eras, roots and claims. */
export function registerRewardsCommands(program: Command, print: Print): void {
  const rewards = program.command('rewards').description('close eras, compute, propose, verify and claim rewards');
  registerReadingCommands(rewards, print);
  registerPosterCommands(rewards, print);
  registerContestCommands(rewards, print);
  registerEarnerCommands(rewards, print);
  registerOperatorRewardsCommands(rewards, print);
}

function registerReadingCommands(rewards: Command, print: Print): void {
  addReadFlags(rewards.command('status').description('eras, the newest root, and what an earner has had'))
    .option('--earner <address>', 'earner to look up', address)
    .action(async (flags: ReadFlags & { earner?: Address }) => {
      const client = openReader(flags);
      show(print, flags, await getRewardStatus(client, flags.earner === undefined ? {} : { earner: flags.earner }));
    });
  addReadFlags(rewards.command('compute').description('compute the rewards of a closed era from the chain'))
    .requiredOption('--era <number>', 'closed era', integer)
    .option('--previous <file>', 'distribution file of the root before; without it all roots before are computed too')
    .option('--out <file>', 'file to write the distribution to')
    .option('--earner <address>', 'explain this earner only', address)
    .action(async (flags: ReadFlags & { era: number; previous?: string; out?: string; earner?: Address }) => {
      const market = withRpc(openReader(flags), flags);
      const computed = await compute(market, flags);
      if (flags.out !== undefined) writeFileSync(flags.out, `${formatDistribution(computed.distribution)}\n`);
      await showDistribution(print, flags, market, computed);
    });
  addReadFlags(rewards.command('verify').description('compute a proposed root anew; exits with 1 when it is wrong'))
    .requiredOption('--era <number>', 'era of the root', integer)
    .option('--previous <file>', 'distribution file of the root before; without it all roots before are computed too')
    .option('--earner <address>', 'explain this earner only', address)
    .action(async (flags: ReadFlags & { era: number; previous?: string; earner?: Address }) => {
      const market = withRpc(openReader(flags), flags);
      const { deployment } = market.client;
      const history = await readHistory(market);
      const { proposed, computed, differences } = await verifyRoot(deployment, market.rpc, {
        history,
        era: flags.era,
        ...knownFrom(flags.previous),
        rangeBlocks: market.client.logRangeBlocks,
      });
      const explained = explanationsFor(computed, flags.earner);
      show(print, flags, {
        era: flags.era,
        correct: differences.length === 0,
        differences,
        proposed: { root: proposed.root, cumulativeTotal: proposed.cumulativeTotal, uri: proposed.uri },
        computed: { root: computed.root, cumulativeTotal: computed.cumulativeTotal },
        uncountedRounds: computed.uncountedRounds,
        ...(flags.json || flags.earner !== undefined ? { explanations: explained } : {}),
      });
      if (differences.length > 0) throw new RootWrongError(flags.era, differences);
    });
}

function registerPosterCommands(rewards: Command, print: Print): void {
  addWriteFlags(rewards.command('close-era').description('fix block and prices of an era that is over; anyone'))
    .option('--era <number>', 'era; default the last that is over', integer)
    .action(async (flags: WriteFlags & { era?: number }) => {
      const client = openWriter(flags);
      const era = flags.era ?? Math.max(0, (await getRewardStatus(client, {})).currentEra - 1);
      show(print, flags, { era, ...(await closeEra(client, { era })) });
    });
  addWriteFlags(rewards.command('propose').description("compute an era and propose its root; the reward poster's role"))
    .requiredOption('--era <number>', 'closed era', integer)
    .requiredOption('--uri <uri>', 'where the distribution file will be served')
    .requiredOption('--out <file>', 'file to write the distribution to')
    .option('--previous <file>', 'distribution file of the root before; without it all roots before are computed too')
    .action(async (flags: WriteFlags & { era: number; uri: string; out: string; previous?: string }) => {
      const market = withRpc(openWriter(flags), flags);
      const { distribution, tierChanges } = await compute(market, flags);
      writeFileSync(flags.out, `${formatDistribution(distribution)}\n`);
      const { era, root, cumulativeTotal } = distribution;
      const proposed = await proposeRoot(market.client, { distribution, uri: flags.uri });
      show(print, flags, { era, root, cumulativeTotal, ...proposed, file: flags.out, dueTierChanges: tierChanges });
    });
  addWriteFlags(rewards.command('fund').description('give reward tokens to the rewarder, for good; anyone'))
    .requiredOption('--amount <tokens>', 'whole tokens, with a decimal point if need be', decimal)
    .action(async (flags: WriteFlags & { amount: string }) => {
      const client = openWriter(flags);
      const { decimals } = await rewardToken(client);
      show(print, flags, await fundRewards(client, { amount: parseUnits(flags.amount, decimals) }));
    });
  addWriteFlags(
    rewards.command('post-results').description("post challenge results of an era; the score oracle's role"),
  )
    .requiredOption('--era <number>', 'era that is over', integer)
    .requiredOption(
      '--file <file>',
      'JSON list: providerId, gpuPassedBps, cpuPassedBps, reputationBps, outages, voided',
    )
    .action(async (flags: WriteFlags & { era: number; file: string }) => {
      const rows = parseResults(readJsonFile('file', flags.file));
      const client = openWriter(flags);
      const { era, cooldownSeconds } = await eraSpan(client, flags.era);
      const results = rows.map(({ outages, ...result }) => ({
        ...result,
        idleSeconds: idleSecondsOf(outages, era, cooldownSeconds),
      }));
      show(print, flags, { era: flags.era, results, ...(await postResults(client, { era: flags.era, results })) });
    });
}

function registerContestCommands(rewards: Command, print: Print): void {
  addWriteFlags(rewards.command('contest').description('hold a pending root, for a bond in reward tokens; anyone'))
    .requiredOption('--era <number>', 'era of the root', integer)
    .requiredOption('--uri <uri>', 'where the reasons can be read')
    .action(async (flags: WriteFlags & { era: number; uri: string }) => {
      const client = openWriter(flags);
      show(print, flags, { era: flags.era, ...(await contestRoot(client, { era: flags.era, uri: flags.uri })) });
    });
  addWriteFlags(rewards.command('resolve').description("decide a contest; the reward guardian's role"))
    .requiredOption('--era <number>', 'era of the root', integer)
    .option('--upheld', 'the root was wrong: disable it and return the bond; else it stands and the bond is lost')
    .action(async (flags: WriteFlags & { era: number; upheld?: boolean }) => {
      const client = openWriter(flags);
      const upheld = flags.upheld === true;
      show(print, flags, { era: flags.era, upheld, ...(await resolveContest(client, { era: flags.era, upheld })) });
    });
  addWriteFlags(
    rewards.command('disable').description("disable a root before it is active; the reward guardian's role"),
  )
    .requiredOption('--era <number>', 'era of the root', integer)
    .action(async (flags: WriteFlags & { era: number }) => {
      const client = openWriter(flags);
      show(print, flags, { era: flags.era, ...(await disableRoot(client, { era: flags.era })) });
    });
}

function registerEarnerCommands(rewards: Command, print: Print): void {
  addWriteFlags(rewards.command('claim').description('pay an earner what the newest active root gives it; anyone'))
    .option('--earner <address>', "default the keystore's account", address)
    .option('--file <file>', "distribution file of that root; without it the era is computed from the chain's history")
    .action(async (flags: WriteFlags & { earner?: Address; file?: string }) => {
      const market = withRpc(openWriter(flags), flags);
      const { client } = market;
      const distribution =
        flags.file === undefined ? await activeDistribution(market) : readDistribution('file', flags.file);
      const earner = flags.earner ?? requireAccount(client, 'claim');
      show(print, flags, { earner, ...(await claimRewards(client, { earner, distribution })) });
    });
  addWriteFlags(rewards.command('set-wallet').description("where the account's rewards are paid to"))
    .requiredOption(
      '--wallet <address>',
      'the wallet; 0x0000000000000000000000000000000000000000 for the account',
      address,
    )
    .action(async (flags: WriteFlags & { wallet: Address }) => {
      const client = openWriter(flags);
      show(print, flags, { wallet: flags.wallet, ...(await setRewardWallet(client, { wallet: flags.wallet })) });
    });
  addWriteFlags(rewards.command('withdraw-credit').description('pay out bonds of contests')).action(
    async (flags: WriteFlags) => {
      const client = openWriter(flags);
      show(print, flags, await withdrawRewardCredit(client));
    },
  );
}

// ---- the market behind the flags

interface OpenMarket {
  readonly client: MarketClient;
  /** Reads of whole histories go through the project's own client, which pins every answer to a block's hash. */
  readonly rpc: Rpc;
}

function withRpc(client: MarketClient, { rpc }: ReadFlags): OpenMarket {
  const { chainId } = client.deployment;
  return { client, rpc: createRpc({ url: rpc ?? '', requestTimeoutMs: RPC_TIMEOUT_MS, chainId }) };
}

async function readHistory({ client, rpc }: OpenMarket): Promise<RewardHistory> {
  const head = await rpc.request(latestBlock());
  return readRewardHistory(client.deployment, rpc, { head, rangeBlocks: client.logRangeBlocks });
}

interface Computed {
  readonly distribution: Distribution;
  readonly tierChanges: readonly DueTierChange[];
}

async function compute(
  market: OpenMarket,
  flags: { readonly era: number; readonly previous?: string },
): Promise<Computed> {
  const { deployment } = market.client;
  const history = await readHistory(market);
  const options = { history, era: flags.era };
  const distribution = await computeDistribution(deployment, market.rpc, {
    ...options,
    ...knownFrom(flags.previous),
    rangeBlocks: market.client.logRangeBlocks,
  });
  return { distribution, tierChanges: await readTierChanges(deployment, market.rpc, options) };
}

async function activeDistribution(market: OpenMarket): Promise<Distribution> {
  const { client, rpc } = market;
  const rewarder = { address: client.contracts.rewarder, abi: iRewarderAbi } as const;
  const era = await readMarket(client, { ...rewarder, functionName: 'activeEra', args: [] });
  // The contract answers 0 for none as well as for era 0.
  const [, , activeAt, state] = await readMarket(client, { ...rewarder, functionName: 'rootOf', args: [era] });
  const { timestamp } = await readBlock(client);
  if (state !== ROOT_PENDING || timestamp < BigInt(activeAt)) throw new NothingActiveError();
  return computeDistribution(client.deployment, rpc, {
    history: await readHistory(market),
    era,
    rangeBlocks: client.logRangeBlocks,
  });
}

async function eraSpan(
  client: MarketClient,
  era: number,
): Promise<{ readonly era: { fromSeconds: number; toSeconds: number }; readonly cooldownSeconds: number }> {
  const { rewarder, rewardOracle } = client.contracts;
  const [[eraZero, eraSeconds], { cooldownSeconds }] = await Promise.all([
    readMarket(client, { address: rewardOracle, abi: iRewardOracleAbi, functionName: 'eraTerms', args: [] }),
    readMarket(client, { address: rewarder, abi: iRewarderAbi, functionName: 'rewardTerms', args: [] }),
  ]);
  const fromSeconds = eraZero + era * eraSeconds;
  return { era: { fromSeconds, toSeconds: fromSeconds + eraSeconds }, cooldownSeconds };
}

async function rewardToken(client: MarketClient): Promise<{ readonly decimals: number; readonly symbol: string }> {
  const token = await readMarket(client, {
    address: client.contracts.rewarder,
    abi: iRewarderAbi,
    functionName: 'rewardToken',
    args: [],
  });
  const [decimals, symbol] = await Promise.all([
    readMarket(client, { address: token, abi: ERC20, functionName: 'decimals', args: [] }),
    readMarket(client, { address: token, abi: ERC20, functionName: 'symbol', args: [] }),
  ]);
  return { decimals, symbol };
}

// ---- files and flags

const seconds = z.number().int().nonnegative();
const resultsSchema = z.array(
  z.strictObject({
    providerId: z.number().int().min(1).max(0xff_ffff),
    gpuPassedBps: z.number().int().min(0).max(10_000).nullable(),
    cpuPassedBps: z.number().int().min(0).max(10_000),
    reputationBps: z.number().int().min(0).max(10_000),
    /** Disconnections and pauses; the cooldown after each is added here. */
    outages: z.array(
      z
        .strictObject({ fromSeconds: seconds, toSeconds: seconds.nullable() })
        .refine(
          ({ fromSeconds, toSeconds }) => toSeconds === null || toSeconds >= fromSeconds,
          'ends before it begins',
        ),
    ),
    voided: z.boolean(),
  }),
);

/** A file of results that is none. */
export class ResultsInvalidError extends MatchmakerError<'RESULTS_INVALID'> {
  constructor(problems: readonly string[]) {
    super('RESULTS_INVALID', `the file of results is not one:\n${problems.map((line) => `  ${line}`).join('\n')}`, {
      metadata: { problems },
    });
  }
}

function parseResults(json: unknown): z.infer<typeof resultsSchema> {
  const parsed = resultsSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new ResultsInvalidError(
    parsed.error.issues.map(({ path, message }) => `${path.join('.') || '(root)'}: ${message}`),
  );
}

function readDistribution(flag: string, file: string): PublishedDistribution {
  return parseDistribution(readJsonFile(flag, file));
}

function knownFrom(previous: string | undefined): { known?: PublishedDistribution } {
  return previous === undefined ? {} : { known: readDistribution('previous', previous) };
}

function address(text: string): Address {
  if (!/^0x[0-9a-fA-F]{40}$/.test(text)) throw new InvalidArgumentError('It must be a 20-byte address in hex.');
  return `0x${text.slice(2).toLowerCase()}`;
}

function decimal(text: string): string {
  if (!/^\d+(\.\d+)?$/.test(text)) throw new InvalidArgumentError('It must be a number of tokens, such as 12.5.');
  return text;
}

// ---- output

function explanationsFor({ explanations }: Distribution, earner: Address | undefined): Distribution['explanations'] {
  return earner === undefined ? explanations : explanations.filter((entry) => entry.earner === earner);
}

async function showDistribution(
  print: Print,
  flags: ReadFlags & { readonly earner?: Address },
  market: OpenMarket,
  { distribution, tierChanges }: Computed,
): Promise<void> {
  const explanations = explanationsFor(distribution, flags.earner);
  if (flags.json) {
    show(print, flags, { ...distribution, explanations, dueTierChanges: tierChanges });
    return;
  }
  const { decimals, symbol } = await rewardToken(market.client);
  const tokens = (amount: bigint): string => `${formatUnits(amount, decimals)} ${symbol}`;
  const { era, root, cumulativeTotal, addedTotal, earnedTotal, uncountedRounds, baseEra } = distribution;
  print(`era ${era}, on top of ${baseEra === null ? 'no root' : `the root of era ${baseEra}`}`);
  print(`root ${root}`);
  print(
    `given in all ${tokens(cumulativeTotal)}, of it by this era ${tokens(addedTotal)} of ${tokens(earnedTotal)} earned`,
  );
  if (uncountedRounds.length > 0) print(`rounds whose signatures were not found: ${uncountedRounds.join(', ')}`);
  for (const entry of explanations) {
    print(`${entry.earner} +${tokens(entry.added)}, in all ${tokens(entry.cumulative)}`);
    if (flags.earner === undefined) continue;
    for (const line of entry.lines) print(`  ${text(line)}`);
  }
  for (const { providerId, from, to, eras } of tierChanges) {
    print(`provider ${providerId} is due to go from trust tier ${from} to ${to} after ${eras} eras`);
  }
}

function show(print: Print, { json }: ReadFlags, value: object): void {
  const lines = Object.entries(value).map(
    ([name, field]) => `${name}: ${typeof field === 'object' && field !== null ? text(field) : String(field)}`,
  );
  printResult(print, json, { json: value, lines });
}

function text(value: unknown): string {
  return JSON.stringify(value, (_, field: unknown) => (typeof field === 'bigint' ? field.toString() : field));
}
