import type { Deployment } from '../chain/deployment.js';
import type { Rpc } from '../chain/rpc/rpc.js';
import type { Clock } from '../service/clock.js';
import type { SigningKey } from '../service/signing/signingKey.js';
import { AggregatorProbe } from './aggregatorProbe.js';
import type { BackingService } from './nodeApi.js';
import type { OperatorEvents } from './operatorEvents.js';
import { StakeWatch } from './stakeWatch.js';

const PROBE_INTERVAL_MS = 15_000;
const PROBE_TIMEOUT_MS = 5_000;
const STAKE_INTERVAL_MS = 60_000;

/** What an operator looks at without needing it to sign: its aggregators, its stake, its rewards. */
export class Surroundings {
  readonly #aggregators: AggregatorProbe;
  readonly #stake: StakeWatch;
  readonly #watchesStakeChain: boolean;

  constructor(
    options: { readonly deployment: Deployment; readonly key: SigningKey; readonly aggregators: readonly string[] },
    dependencies: {
      readonly rpc: Rpc;
      readonly stakeRpc: Rpc | null;
      readonly clock: Clock;
      readonly events: OperatorEvents;
    },
  ) {
    const { deployment, key, aggregators } = options;
    const { rpc, stakeRpc, clock, events } = dependencies;
    this.#watchesStakeChain = stakeRpc !== null;
    this.#aggregators = new AggregatorProbe(
      { aggregators, intervalMs: PROBE_INTERVAL_MS, requestTimeoutMs: PROBE_TIMEOUT_MS },
      { clock },
    );
    this.#stake = new StakeWatch(
      { deployment, publicKey: key.publicKey, earner: key.id, intervalMs: STAKE_INTERVAL_MS },
      {
        rpc,
        stakeRpc,
        clock,
        onSlashing: (isSlashed) => events.slashingIs(isSlashed),
        onEarned: (source, token, cumulative) => events.earned(source, token, cumulative),
        onProblem: (problem) => events.stakeUnknown(problem),
      },
    );
  }

  start(): void {
    this.#aggregators.start();
    this.#stake.start();
  }

  async stop(): Promise<void> {
    await Promise.all([this.#aggregators.stop(), this.#stake.stop()]);
  }

  /** What the node rests on, `marketRpc` first. */
  services(marketRpc: BackingService['status']): readonly BackingService[] {
    const { isUp } = this.#stake;
    const stakeRpc: BackingService = {
      id: 'stake-rpc',
      name: 'Stake chain',
      description: 'JSON-RPC node that slashes are read from',
      status: isUp === undefined ? 'Initializing' : isUp ? 'Up' : 'Down',
    };
    return [
      {
        id: 'market-rpc',
        name: 'Market chain',
        description: 'JSON-RPC node that rounds are followed on',
        status: marketRpc,
      },
      ...(this.#watchesStakeChain ? [stakeRpc] : []),
      ...this.#aggregators.services(),
    ];
  }
}
