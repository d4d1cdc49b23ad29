import { BucketBuilder } from '../index/bucketBuilder.js';
import { BucketTable } from '../index/bucketTable.js';
import { MachinesByProvider } from '../index/machinesByProvider.js';
import { FIRST_NODE, NodeTable } from '../index/nodeTable.js';
import { ProviderTerms } from '../index/providerTerms.js';
import { RoundBoundaries } from '../index/roundBoundaries.js';
import { RowBounds } from '../index/rowBounds.js';
import { RowFollower } from '../index/rowFollower.js';
import { RowsByMachine } from '../index/rowsByMachine.js';
import { RowTable } from '../index/rowTable.js';
import { TreeBounds } from '../index/treeBounds.js';
import { verifyIndex } from '../index/verifyIndex.js';
import { Market } from '../market.js';
import { SECONDS_PER_DAY } from '../roundTerms.js';
import { ROUND, TIMESTAMP } from './arbitrarySnapshot.js';
import type { MarketPlan } from './arbitrarySnapshot.js';
import { PLAIN_POLICY, plainProvider } from './plainRound.js';

/** The parts of an index, for tests of one of them beside the others. */
export interface BuiltIndex {
  readonly market: Market;
  readonly nodes: NodeTable;
  readonly rows: RowTable;
  readonly rowsByMachine: RowsByMachine;
  readonly buckets: BucketTable;
  readonly rowBounds: RowBounds;
  readonly treeBounds: TreeBounds;
  readonly builder: BucketBuilder;
  readonly follower: RowFollower;
  /** Machines of each leaf of a bucket, in the order of the rows. */
  readonly machinesByLeaf: (bucket: number) => number[][];
  /** Throws RangeError unless every bound holds and every machine that takes part has its rows. */
  readonly verify: () => void;
}

/** The parts of the index of a market of one plain provider and these machines, under the plain policy. */
export function builtIndex(machines: MarketPlan['machines']): BuiltIndex {
  const market = new Market();
  const policy = PLAIN_POLICY;
  market.setProvider(1, plainProvider());
  machines.forEach(({ machine, offers }, index) => {
    market.setMachine(index + 1, machine);
    offers.forEach((offer, number) => market.setOffer(index + 1, number, offer));
  });
  const nodes = new NodeTable(FIRST_NODE);
  const rows = new RowTable();
  const rowsByMachine = new RowsByMachine();
  // Room for machines that a test lets join.
  rowsByMachine.grow(2 * machines.length + 64);
  const machinesByProvider = new MachinesByProvider(market);
  const providers = new ProviderTerms(market, policy, Math.floor(TIMESTAMP / SECONDS_PER_DAY));
  const boundaries = new RoundBoundaries(market, ROUND);
  const rowBounds = new RowBounds(market, policy, nodes, rows, providers);
  const buckets = new BucketTable(market, nodes, rows);
  const treeBounds = new TreeBounds(nodes, rows, buckets, rowBounds);
  const parts = { market, policy, nodes, rows, rowsByMachine, buckets, providers, rowBounds, treeBounds };
  const builder = new BucketBuilder(parts);
  builder.buildAll(ROUND);
  return {
    ...parts,
    builder,
    follower: new RowFollower({ ...parts, boundaries, builder, machinesByProvider }),
    machinesByLeaf: (number) => {
      const { leaves, leafBase } = buckets.buckets[number]!;
      return Array.from({ length: leaves }, (_, index) =>
        Array.from({ length: rows.used[leafBase + index]! }, (_row, place) =>
          rows.machineOf((leafBase + index) * 32 + place),
        ),
      );
    },
    verify: () => verifyIndex(parts, ROUND),
  };
}
