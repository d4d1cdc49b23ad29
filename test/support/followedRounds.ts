import { setTimeout as sleep } from 'node:timers/promises';
import type { Hex } from 'viem';
import type { Rpc } from '../../chain/rpc/rpc.js';
import { RoundFollower } from '../../chain/sync/roundFollower.js';
import type { AbstainReason, Reorg, RoundContext, RoundFollowerOptions } from '../../chain/sync/roundFollower.js';
import type { LocalSnapshotEvent } from '../../chain/sync/snapshotKeeper.js';

/** A round as it was handed over, with what must be copied out of the live market then. */
export interface FollowedRound {
  readonly context: RoundContext;
  /** Order ids of the snapshot. */
  readonly orderIds: readonly number[];
}

/** A running round follower whose rounds, abstentions and other events are collected. */
export class FollowedRounds {
  readonly rounds: FollowedRound[] = [];
  readonly abstained: { round: number; reason: AbstainReason; detail: string }[] = [];
  readonly settled: { round: number; messageHash: Hex }[] = [];
  readonly reorgs: Reorg[] = [];
  readonly resyncs: string[] = [];
  readonly snapshots: LocalSnapshotEvent[] = [];
  readonly reachable: boolean[] = [];
  readonly blocks: number[] = [];
  readonly follower: RoundFollower;

  constructor(options: RoundFollowerOptions, rpc: Rpc, onRound: (context: RoundContext) => void = () => {}) {
    this.follower = new RoundFollower(options, {
      rpc,
      onRound: (context) => {
        this.rounds.push({ context, orderIds: context.snapshot.orders.map(({ orderId }) => orderId) });
        onRound(context);
      },
      onAbstain: (round, reason, detail) => this.abstained.push({ round, reason, detail }),
      onSettled: (round, messageHash) => this.settled.push({ round, messageHash }),
      onReorg: (reorg) => this.reorgs.push(reorg),
      onResync: (reason) => this.resyncs.push(reason),
      onLocalSnapshot: (event) => this.snapshots.push(event),
      onReachable: (reachable) => this.reachable.push(reachable),
      onBlock: ({ number }) => this.blocks.push(number),
    });
  }

  /** Waits until `done` holds; fails with what was collected when it does not within ten seconds. */
  async until(done: () => boolean): Promise<void> {
    const deadline = Date.now() + 10_000;
    while (!done()) {
      if (Date.now() > deadline) {
        const { abstained, resyncs, reachable } = this;
        const rounds = this.rounds.map(({ context }) => context.round);
        throw new Error(
          `waited in vain: ${JSON.stringify({ rounds, abstained, resyncs, reachable, status: this.follower.status() })}`,
        );
      }
      await sleep(5);
    }
  }

  /** Waits until a block is followed and the state agrees with the chain. */
  untilBlock(number: number): Promise<void> {
    return this.until(() => this.follower.status().caughtUp && this.follower.status().headBlock >= number);
  }

  /** Waits until a round is handed over. */
  async untilRound(round: number): Promise<FollowedRound> {
    await this.until(() => this.rounds.some(({ context }) => context.round === round));
    return this.rounds.findLast(({ context }) => context.round === round) as FollowedRound;
  }
}
