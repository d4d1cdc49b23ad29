import type { Address, Hex } from 'viem';

import { iRewarderAbi } from '../chain/contracts/generated/IRewarder.js';
import { iRewardsCoordinatorAbi } from '../chain/contracts/generated/IRewardsCoordinator.js';
import type { Deployment } from '../chain/deployment.js';
import { readEigen } from '../chain/eigenlayer/eigenCall.js';
import { readOperatorOfKey } from '../chain/eigenlayer/readSigningKey.js';
import { readSlashes } from '../chain/eigenlayer/slashHistory.js';
import type { Rpc } from '../chain/rpc/rpc.js';
import { latestBlock } from '../chain/rpc/rpcCall.js';
import type { Clock } from '../service/clock.js';
import { messageOf } from '../service/thrown.js';
import type { RewardSource } from './eigenMetrics.js';

export interface StakeWatchOptions {
  readonly deployment: Deployment;
  /** The signing key as operator tables name it. */
  readonly publicKey: Hex;
  /** Who earns the market's rewards for the key's signatures. */
  readonly earner: Address;
  readonly intervalMs: number;
}

export interface StakeWatchDependencies {
  readonly rpc: Rpc;
  /** The stake chain; null when no node of it is known, and nothing is said about slashing then. */
  readonly stakeRpc: Rpc | null;
  readonly clock: Clock;
  readonly onSlashing: (isSlashed: boolean) => void;
  readonly onEarned: (source: RewardSource, token: Address, cumulative: bigint) => void;
  /** Said once when a chain does not tell, and again after it did. */
  readonly onProblem: (problem: string) => void;
}

/** Looks from time to time whether the operator behind a signing key was slashed by the set, and what operator and key have earned. */
export class StakeWatch {
  readonly #options: StakeWatchOptions;
  readonly #dependencies: StakeWatchDependencies;
  readonly #stopped = new AbortController();
  #running: Promise<void> | undefined;
  #isUp: boolean | undefined;
  #operator: Address | null = null;
  #isSlashed = false;
  #nextBlock: number;

  constructor(options: StakeWatchOptions, dependencies: StakeWatchDependencies) {
    this.#options = options;
    this.#dependencies = dependencies;
    this.#nextBlock = options.deployment.stake.deploymentBlock;
  }

  /** Whether the stake chain answered last; undefined before the first answer, or when it is not watched. */
  get isUp(): boolean | undefined {
    return this.#isUp;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock, stakeRpc, onProblem } = this.#dependencies;
    const { signal } = this.#stopped;
    let isTelling = true;
    while (!signal.aborted) {
      try {
        if (stakeRpc !== null) await this.#lookAtStake(stakeRpc);
        await this.#lookForRewards();
        isTelling = true;
      } catch (error) {
        if (isTelling && !signal.aborted) onProblem(messageOf(error));
        isTelling = false;
      }
      await clock.sleep(this.#options.intervalMs, signal);
    }
  }

  async #lookAtStake(rpc: Rpc): Promise<void> {
    const { deployment, publicKey } = this.#options;
    const { eigenlayer, operatorSet } = deployment;
    try {
      const { number: toBlock } = await rpc.request(latestBlock());
      this.#operator ??= await readOperatorOfKey({ eigenlayer, operatorSet }, publicKey, { rpc });
      if (this.#operator !== null) {
        const range = { fromBlock: this.#nextBlock, toBlock };
        const slashes = await readSlashes({ eigenlayer, operatorSet, operator: this.#operator, ...range }, { rpc });
        this.#isSlashed ||= slashes.length > 0;
        this.#nextBlock = toBlock + 1;
        this.#dependencies.onSlashing(this.#isSlashed);
        await this.#lookForOperatorRewards(rpc, this.#operator);
      }
      this.#isUp = true;
    } catch (error) {
      this.#isUp = false;
      throw error;
    }
  }

  async #lookForOperatorRewards(rpc: Rpc, operator: Address): Promise<void> {
    const { eigenlayer, stakeToken } = this.#options.deployment;
    const claimed = await readEigen(rpc, {
      address: eigenlayer.rewardsCoordinator,
      abi: iRewardsCoordinatorAbi,
      functionName: 'cumulativeClaimed',
      args: [operator, stakeToken],
    });
    this.#dependencies.onEarned('operator', stakeToken, claimed);
  }

  async #lookForRewards(): Promise<void> {
    const { rpc, onEarned } = this.#dependencies;
    const { deployment, earner } = this.#options;
    const rewarder = { address: deployment.contracts.rewarder, abi: iRewarderAbi };
    const [token, claimed] = await Promise.all([
      readEigen(rpc, { ...rewarder, functionName: 'rewardToken', args: [] }),
      readEigen(rpc, { ...rewarder, functionName: 'claimedOf', args: [earner] }),
    ]);
    onEarned('market', token, claimed);
  }
}
