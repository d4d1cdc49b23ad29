import type { Hex } from 'viem';
import type { TransactionLane } from '../../chain/deploy/transactionLane.js';
import type { Receipt } from '../../chain/rpc/rpcCall.js';
import { RoundFollower, type RoundContext } from '../../chain/sync/roundFollower.js';
import type { DevnetMarket } from '../../devnet/deployDevnet.js';
import type { DevnetChain } from '../../devnet/devnetChain.js';
import { signedSettlement } from '../../devnet/signedSettlement.js';
import { matchRound } from '../../engine/matchRound.js';
import type { MatchRecord } from '../../engine/record.js';

export interface InProcessQuorumOptions {
  /** Keys that sign every round; enough of them for the quorum. */
  readonly signingKeys: readonly Hex[];
  /** What a dishonest quorum makes of the engine's records. */
  readonly alter?: (records: readonly MatchRecord[], round: number, context: RoundContext) => readonly MatchRecord[];
}

/** Operators and aggregator in one process: matches every round, signs with all keys and settles at once. */
export class InProcessQuorum {
  /** Receipts of the settlements by round, as they are mined. */
  readonly settlements = new Map<number, Promise<Receipt>>();
  /** Rounds that were not matched, with the reason: those before the operator table counts, if any. */
  readonly abstentions: string[] = [];
  readonly #options: InProcessQuorumOptions;
  readonly #market: DevnetMarket;
  readonly #lane: TransactionLane;
  readonly #follower: RoundFollower;

  constructor(options: InProcessQuorumOptions, chain: DevnetChain, market: DevnetMarket) {
    this.#options = options;
    this.#market = market;
    this.#lane = chain.lane(chain.nextAccount().privateKey);
    this.#follower = new RoundFollower(
      { deployment: market.deployment, factsCheck: 'storage', pollIntervalMs: 10 },
      {
        rpc: chain.rpc,
        onRound: (context) => this.#settle(context),
        onAbstain: (round, reason, detail) => this.abstentions.push(`round ${round}: ${reason}, ${detail}`),
      },
    );
  }

  start(): Promise<void> {
    return this.#follower.start();
  }

  /** Stops following and waits for what was sent. Throws when a settlement failed. */
  async stop(): Promise<void> {
    await this.#follower.stop();
    await Promise.all(this.settlements.values());
  }

  #settle(context: RoundContext): void {
    const { snapshot, policy, seed, round } = context;
    const matched = matchRound(snapshot, policy, seed);
    const records = this.#options.alter?.(matched, round, context) ?? matched;
    if (records.length === 0) return;
    const receipt = this.#send(context, records);
    receipt.catch(() => undefined);
    this.settlements.set(round, receipt);
  }

  async #send(context: RoundContext, records: readonly MatchRecord[]): Promise<Receipt> {
    const { deployment } = this.#market;
    const { transaction } = await signedSettlement(deployment, context, records, this.#options.signingKeys);
    return this.#lane.run(transaction);
  }
}
