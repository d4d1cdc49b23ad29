import type { Market, MarketChanges } from '../market.js';
import { isSameLack } from '../packing.js';
import type { Policy } from '../policy.js';
import { SECONDS_PER_DAY } from '../roundTerms.js';
import type { Snapshot } from '../snapshot.js';
import type { Bucket, Forest } from './bucket.js';
import { BucketBuilder } from './bucketBuilder.js';
import { BucketTable } from './bucketTable.js';
import type { EnvelopeScale } from './envelope.js';
import { IdLog } from './idLog.js';
import { MachinesByProvider } from './machinesByProvider.js';
import { FIRST_NODE, NodeTable } from './nodeTable.js';
import { ProviderTerms } from './providerTerms.js';
import { RoundBoundaries } from './roundBoundaries.js';
import { RowBounds } from './rowBounds.js';
import { RowFollower } from './rowFollower.js';
import { RowsByMachine } from './rowsByMachine.js';
import { RowTable } from './rowTable.js';
import type { RowValues } from './rowTable.js';
import { TreeBounds } from './treeBounds.js';
import { verifyIndex } from './verifyIndex.js';

/** The terms of a policy that rows depend on. */
type RowPolicy = Pick<
  Policy,
  | 'weightPriceBps'
  | 'weightRegionBps'
  | 'weightPackingBps'
  | 'packing'
  | 'weightStakeBps'
  | 'weightFitBps'
  | 'weightUptimeBps'
  | 'weightReputationBps'
  | 'saturationWhole'
  | 'complianceCapBps'
  | 'defaultUptimeBps'
  | 'defaultReputationBps'
>;

/**
 * The machines that take part in a round, by token, GPU model and region, each such bucket clustered into a tree with bounds. It follows
 * a market by the notes that the market takes of its changes, so a round costs what changed since the last one.
 * How rows are placed never shows in results; that every bound holds does, and is what its tests check.
 */
export class MarketIndex {
  readonly market: Market;
  readonly nodes = new NodeTable(FIRST_NODE);
  readonly rows = new RowTable();
  readonly rowsByMachine = new RowsByMachine();
  readonly machinesByProvider: MachinesByProvider;
  readonly #policy: Policy;
  readonly #changes: MarketChanges;
  /** Machines that the rows may differ from. */
  readonly #touched = new IdLog();
  readonly #touch = (machineId: number): void => this.#touched.note(machineId);
  readonly #providers: ProviderTerms;
  readonly #boundaries: RoundBoundaries;
  readonly #rowBounds: RowBounds;
  readonly #buckets: BucketTable;
  readonly #follower: RowFollower;
  #machineCount: number;

  /** Builds the index of a snapshot's market, and takes the market's notes of changes from then on. */
  constructor(snapshot: Snapshot, policy: Policy) {
    const { market } = snapshot;
    const { nodes, rows, rowsByMachine } = this;
    this.market = market;
    this.#policy = policy;
    this.#changes = market.watchChanges();
    this.machinesByProvider = new MachinesByProvider(market);
    const providers = new ProviderTerms(market, policy, dayOf(snapshot));
    const boundaries = new RoundBoundaries(market, snapshot.round);
    const rowBounds = new RowBounds(market, policy, nodes, rows, providers);
    const buckets = new BucketTable(market, nodes, rows);
    const treeBounds = new TreeBounds(nodes, rows, buckets, rowBounds);
    const parts = { market, policy, nodes, rows, rowsByMachine, buckets, providers, rowBounds, treeBounds, boundaries };
    const builder = new BucketBuilder(parts);
    this.#providers = providers;
    this.#boundaries = boundaries;
    this.#rowBounds = rowBounds;
    this.#buckets = buckets;
    // Without a spread, which would give the object a shape of its own, and have code compiled for another index's thrown away.
    this.#follower = new RowFollower({
      market,
      nodes,
      rows,
      rowsByMachine,
      machinesByProvider: this.machinesByProvider,
      boundaries,
      buckets,
      builder,
      rowBounds,
      treeBounds,
    });
    this.#machineCount = market.machineCount;
    rowsByMachine.grow(market.machineCount + 1);
    builder.buildAll(snapshot.round);
    for (let machineId = 1; machineId <= market.machineCount; machineId++) boundaries.note(machineId);
  }

  get buckets(): readonly Bucket[] {
    return this.#buckets.buckets;
  }

  get forests(): readonly Forest[] {
    return this.#buckets.forests;
  }

  /** The points of the policy, as envelopes keep them. */
  get scale(): EnvelopeScale {
    return this.#rowBounds.scale;
  }

  /** Whether the policy gives packing a weight, so that nodes tell the traits of what is below them. */
  get hasPacking(): boolean {
    return this.#policy.weightPackingBps > 0;
  }

  /** By provider the weighted sum of stake, uptime and reputation. */
  get weightedStanding(): Uint32Array {
    return this.#providers.weightedStanding;
  }

  /** By provider the compliance factor. */
  get complianceBps(): Uint16Array {
    return this.#providers.complianceBps;
  }

  /** Bytes of the index beyond the market's columns. */
  get byteLength(): number {
    return (
      this.nodes.byteLength +
      this.rows.byteLength +
      this.rowsByMachine.byteLength +
      this.machinesByProvider.byteLength +
      this.#providers.byteLength
    );
  }

  /** Whether rows made for the index's policy hold under another. */
  fits(policy: RowPolicy): boolean {
    const own = this.#policy;
    return (
      policy.weightPriceBps === own.weightPriceBps &&
      policy.weightRegionBps === own.weightRegionBps &&
      policy.weightPackingBps === own.weightPackingBps &&
      policy.weightStakeBps === own.weightStakeBps &&
      policy.weightFitBps === own.weightFitBps &&
      (own.weightPackingBps === 0 || isSameLack(policy.packing, own.packing)) &&
      policy.weightUptimeBps === own.weightUptimeBps &&
      policy.weightReputationBps === own.weightReputationBps &&
      policy.saturationWhole === own.saturationWhole &&
      policy.complianceCapBps === own.complianceCapBps &&
      policy.defaultUptimeBps === own.defaultUptimeBps &&
      policy.defaultReputationBps === own.defaultReputationBps
    );
  }

  /** Brings the index to a snapshot of its market, before or after the one it stands at. */
  follow(snapshot: Snapshot): void {
    const providers = this.#providers;
    this.#takeChanges();
    providers.goTo(dayOf(snapshot), (provider) => this.machinesByProvider.forEach(provider, this.#touch));
    this.#boundaries.goTo(snapshot.round, this.#touch);
    this.#follower.follow(this.#touched);
  }

  /**
   * Does some of what a round would have to do, or leaves for later, about as much as tightening `leaves` leaves: takes over what the
   * market was changed to since the last round, as of that round, then tends the trees. It makes later rounds faster and shows in no
   * result: what is changed further, or back, is noted again. Whether there is more to do. To be called between rounds.
   */
  maintain(leaves: number): boolean {
    this.#takeChanges();
    return this.#follower.maintain(this.#touched, leaves);
  }

  /** Bucket of a leaf's rows. */
  bucketOf(leaf: number): Bucket {
    return this.#buckets.bucketOf(leaf);
  }

  /** The forest of a token with or without GPUs; undefined when no machine is in it. */
  forestOf(tokenId: number, isGpu: boolean): Forest | undefined {
    return this.#buckets.forestOf(tokenId, isGpu);
  }

  /** What a machine has free, as rows of the bucket keep it, in an object that is used again for the next one. */
  loadFree(machineId: number, bucket: Bucket): RowValues {
    return this.#rowBounds.loadFree(machineId, bucket);
  }

  /**
   * Every row says what its machine has free and lies within the bounds of its bucket and of all nodes above it, and every machine that
   * takes part has its rows: throws RangeError if not.
   */
  verify(): void {
    const { market, nodes, rows, rowsByMachine } = this;
    const parts = { market, nodes, rows, rowsByMachine, buckets: this.#buckets, rowBounds: this.#rowBounds };
    verifyIndex(parts, this.#boundaries.round);
  }

  /** Reads the providers that were changed, and notes every machine that was, itself or by its provider, or is gone. */
  #takeChanges(): void {
    const { market } = this;
    const { machineCount, providerCount } = market;
    const providers = this.#providers;
    const touch = this.#touch;
    const touchMachines = (provider: number): void => this.machinesByProvider.forEach(provider, touch);
    for (let machineId = machineCount + 1; machineId <= this.#machineCount; machineId++) touch(machineId);
    this.#machineCount = machineCount;
    this.rowsByMachine.grow(machineCount + 1);
    for (let provider = providerCount + 1; provider <= providers.count; provider++) touchMachines(provider);
    providers.readNew();
    this.#changes.providers.drain((provider) => {
      if (provider > providerCount) return;
      providers.read(provider);
      touchMachines(provider);
    });
    this.#changes.machines.drain(touch);
  }
}

/** Days since 1970 of a snapshot. */
function dayOf({ timestampSeconds }: Snapshot): number {
  return Math.floor(timestampSeconds / SECONDS_PER_DAY);
}
