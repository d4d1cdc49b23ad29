import { encodeAbiParameters, encodeDeployData, keccak256, zeroAddress } from 'viem';
import type { Abi, Address, Hex } from 'viem';
import { buildMatchBatch } from '../../chain/buildMatchBatch.js';
import { devnetPriceFeedAbi, devnetPriceFeedBytecode } from '../../chain/contracts/generated/DevnetPriceFeed.js';
import { devnetTokenAbi } from '../../chain/contracts/generated/DevnetToken.js';
import { providerAttributesAbi } from '../../chain/contracts/generated/ProviderAttributes.js';
import { providerRegistryAbi } from '../../chain/contracts/generated/ProviderRegistry.js';
import { rewarderAbi } from '../../chain/contracts/generated/Rewarder.js';
import { rewardOracleAbi } from '../../chain/contracts/generated/RewardOracle.js';
import { stakingManagerAbi } from '../../chain/contracts/generated/StakingManager.js';
import { computeDistribution } from '../../chain/rewards/computeDistribution.js';
import type { Distribution } from '../../chain/rewards/computeDistribution.js';
import { readRewardHistory } from '../../chain/rewards/rewardHistory.js';
import type { RewardHistory } from '../../chain/rewards/rewardHistory.js';
import { viewCall } from '../../chain/rewards/viewCall.js';
import { latestBlock } from '../../chain/rpc/rpcCall.js';
import type { Receipt } from '../../chain/rpc/rpcCall.js';
import { loadDevnetEconomy } from '../../devnet/parameters.js';
import { matchRound } from '../../engine/matchRound.js';
import { FollowedRounds } from './followedRounds.js';
import { control, MarketChain } from './marketChain.js';

/** Accounts of the fixture by index. */
export const DEPLOYER = 1;
export const DELEGATOR = 11;
export const PROVIDER_OWNER = 3;
/** Holds every role of the fixture beside the governor's and the parameters', which are the deployer's. */
export const ROLES: Address = '0x00000000000000000000000000000000000000ff';
/** One whole reward token. */
export const TOKEN = 10n ** 18n;
const GPU = 1;
const CPU = 0;
const TIER = 3;

/** A real market with feeds, funds, two operators, and a provider of two GPUs and 32 cores in tier 3 with a delegator. */
export class RewardedMarket {
  readonly chain: MarketChain;
  readonly followed: FollowedRounds;

  constructor(chain: MarketChain, followed: FollowedRounds) {
    this.chain = chain;
    this.followed = followed;
  }

  static async start(): Promise<RewardedMarket> {
    const chain = await MarketChain.start({ roundLengthBlocks: 4, operatorWeights: [60n, 40n] });
    const { deployment, rpc } = chain;
    await rpc.batch([
      control('anvil_impersonateAccount', [ROLES]),
      control('anvil_setBalance', [ROLES, '0x56bc75e2d63100000']),
    ]);
    const market = new RewardedMarket(
      chain,
      new FollowedRounds({ deployment, factsCheck: 'storage', pollIntervalMs: 5 }, rpc),
    );
    await market.setUpFeeds();
    await market.setUpProvider();
    await market.followed.follower.start();
    return market;
  }

  async stop(): Promise<void> {
    await this.followed.follower.stop();
    await this.chain.stop();
  }

  call(
    from: number | Address,
    contract: keyof MarketChain['deployment']['contracts'],
    abi: Abi,
    name: string,
    args: readonly unknown[],
  ) {
    return this.chain.call(from, this.chain.deployment.contracts[contract], abi, name, args);
  }

  private async setUpFeeds(): Promise<void> {
    const { chain } = this;
    const feeds = await chain.mined(
      (
        [
          ['STK / USD', 50_000_000n],
          ['ETH / USD', 3_000n * 10n ** 8n],
        ] as const
      ).map(([description, answer]) =>
        chain.rpc.request({
          method: 'eth_sendTransaction',
          params: [
            {
              from: chain.account(DEPLOYER).account.address,
              gas: '0x1e8480',
              data: encodeDeployData({
                abi: devnetPriceFeedAbi,
                bytecode: devnetPriceFeedBytecode,
                args: [description, 8, answer],
              }),
            },
          ],
          decode: (raw) => raw as Hex,
        }),
      ),
    );
    const terms = {
      rewardTokenFeed: feeds[0]?.contractAddress,
      nativeFeed: feeds[1]?.contractAddress,
      sequencerFeed: zeroAddress,
      rewardHeartbeatSeconds: 2_592_000,
      nativeHeartbeatSeconds: 2_592_000,
      sequencerGraceSeconds: 0,
      rewardMinMicroUsd: 1_000n,
      rewardMaxMicroUsd: 10_000_000n,
      nativeMinMicroUsd: 1n,
      nativeMaxMicroUsd: 10n ** 12n,
    };
    await chain.mined([this.call(DEPLOYER, 'rewardOracle', rewardOracleAbi, 'setFeedTerms', [terms])]);
    const { stakeToken, contracts } = chain.deployment;
    await chain.mined([
      chain.call(DEPLOYER, stakeToken, devnetTokenAbi, 'mint', [chain.account(DEPLOYER).account.address, 10n ** 24n]),
      chain.call(DEPLOYER, stakeToken, devnetTokenAbi, 'approve', [contracts.rewarder, 10n ** 24n]),
    ]);
    await chain.mined([this.call(DEPLOYER, 'rewarder', rewarderAbi, 'fund', [10n ** 24n])]);
  }

  private async setUpProvider(): Promise<void> {
    const { chain } = this;
    const { stakeToken, contracts } = chain.deployment;
    const delegator = chain.account(DELEGATOR).account.address;
    await chain.addProvider(0, [1_000_000]);
    await chain.mined([
      this.call(DEPLOYER, 'providerAttributes', providerAttributesAbi, 'addResource', [GPU, 'High 2', 30_000]),
      this.call(DEPLOYER, 'providerAttributes', providerAttributesAbi, 'addResource', [CPU, 'gp', 10_000]),
      chain.call(DELEGATOR, stakeToken, devnetTokenAbi, 'mint', [delegator, 100_000n * TOKEN]),
      chain.call(DELEGATOR, stakeToken, devnetTokenAbi, 'approve', [contracts.stakingManager, 100_000n * TOKEN]),
      this.call(ROLES, 'providerRegistry', providerRegistryAbi, 'setProviderTier', [1, TIER]),
      this.call(PROVIDER_OWNER, 'stakingManager', stakingManagerAbi, 'setCommission', [1, 2_000]),
    ]);
    // A commission that rises holds one unbonding later.
    await chain.rpc.request(control('evm_increaseTime', [120]));
    await chain.mined([
      this.call(DELEGATOR, 'stakingManager', stakingManagerAbi, 'delegate', [1, 100_000n * TOKEN]),
      this.call(PROVIDER_OWNER, 'providerAttributes', providerAttributesAbi, 'submitAttributes', [1, GPU, [1], [2]]),
      this.call(PROVIDER_OWNER, 'providerAttributes', providerAttributesAbi, 'submitAttributes', [1, CPU, [2], [32]]),
    ]);
    await chain.mined(
      (
        [
          [GPU, 1, 2],
          [CPU, 2, 32],
        ] as const
      ).map(([category, resourceId, units]) =>
        this.call(ROLES, 'providerAttributes', providerAttributesAbi, 'approveAttributes', [
          1,
          category,
          keccak256(encodeAbiParameters([{ type: 'uint16[]' }, { type: 'uint32[]' }], [[resourceId], [units]])),
        ]),
      ),
    );
  }

  /** Matches an order and settles it with both operators' signatures; the call may be wrapped by whoever sends it. */
  async settleOne(): Promise<Receipt> {
    const { chain, followed } = this;
    await chain.mined([chain.postOrder()]);
    const { number } = await chain.rpc.request(latestBlock());
    await followed.untilBlock(number);
    for (;;) {
      const seen = followed.rounds.length;
      while (followed.rounds.length === seen) await followed.untilBlock((await chain.mine()).number);
      const context = followed.rounds.at(-1)?.context;
      if (context === undefined) throw new Error('no round');
      const records = matchRound(context.snapshot, context.policy, context.seed);
      if (records.length === 0) continue;
      const { batch, recordsHex, messageHash } = buildMatchBatch(context, records, {
        chainId: chain.deployment.chainId,
        settlement: chain.deployment.contracts.matchSettlement,
      });
      const [receipt] = await chain.mined([chain.settle(batch, recordsHex, messageHash)]);
      if (receipt === undefined) throw new Error('no receipt');
      return receipt;
    }
  }

  async currentEra(): Promise<number> {
    return (await this.#runningEra()).era;
  }

  /** Moves to the first second after the running era, so that the next one runs in full; returns the ended one. */
  async endEra(): Promise<number> {
    const { era, endsAtSeconds } = await this.#runningEra();
    await this.chain.rpc.request(control('evm_setNextBlockTimestamp', [endsAtSeconds]));
    await this.chain.mine();
    return era;
  }

  async #runningEra(): Promise<{ era: number; endsAtSeconds: number }> {
    const { hash, timestamp } = await this.chain.rpc.request(latestBlock());
    const [eraZero, eraSeconds] = await this.chain.rpc.request(
      viewCall(
        {
          address: this.chain.deployment.contracts.rewardOracle,
          abi: rewardOracleAbi,
          functionName: 'eraTerms',
          args: [],
        },
        hash,
      ),
    );
    const era = Math.floor((timestamp - eraZero) / eraSeconds);
    return { era, endsAtSeconds: eraZero + (era + 1) * eraSeconds };
  }

  async post(era: number, cpuPassedBps = 9_900, idleSeconds = 0): Promise<void> {
    const result = {
      providerId: 1,
      gpuPassedBps: 9_900,
      cpuPassedBps,
      reputationBps: 5_000,
      idleSeconds,
      voided: false,
    };
    await this.chain.mined([this.call(ROLES, 'rewardOracle', rewardOracleAbi, 'postResults', [era, [result]])]);
  }

  async close(era: number): Promise<void> {
    await this.chain.mined([this.call(DEPLOYER, 'rewarder', rewarderAbi, 'closeEra', [era])]);
  }

  async propose({ era, root, cumulativeTotal, participationHash }: Distribution): Promise<void> {
    const args = [era, root, cumulativeTotal, participationHash, 'file:///list'];
    await this.chain.mined([this.call(ROLES, 'rewarder', rewarderAbi, 'proposeRoot', args)]);
  }

  /** Lets the activation delay of the newest root pass. */
  async activate(): Promise<void> {
    await this.chain.rpc.request(control('evm_increaseTime', [loadDevnetEconomy().rewards.activationSeconds + 1]));
    await this.chain.mine();
  }

  async history(rangeBlocks?: number): Promise<RewardHistory> {
    const { deployment, rpc } = this.chain;
    const head = await rpc.request(latestBlock());
    return readRewardHistory(deployment, rpc, { head, ...(rangeBlocks === undefined ? {} : { rangeBlocks }) });
  }

  async compute(era: number): Promise<Distribution> {
    return computeDistribution(this.chain.deployment, this.chain.rpc, { history: await this.history(), era });
  }
}
