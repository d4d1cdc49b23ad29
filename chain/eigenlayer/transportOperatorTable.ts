import type { Hex } from 'viem';
import { MatchmakerError } from '../../engine/error.js';
import { bn254PublicKey, bn254Sign } from '../../protocol/bn254Key.js';
import { merkleProof, merkleRoot } from '../../protocol/eigenMerkleTree.js';
import { isSameSet, type OperatorSet } from '../../protocol/operatorSet.js';
import { iCrossChainRegistryAbi } from '../contracts/generated/ICrossChainRegistry.js';
import { iOperatorTableUpdaterAbi } from '../contracts/generated/IOperatorTableUpdater.js';
import type { Deployment } from '../deployment.js';
import type { Rpc } from '../rpc/rpc.js';
import { latestBlock, type BlockPoint } from '../rpc/rpcCall.js';
import { EigenCallRevertedError, readEigen, writeEigen, type EigenDependencies } from './eigenCall.js';
import { operatorTableLeaf } from './globalTableTree.js';

/** Which table is carried where. */
export interface TableTransport {
  readonly eigenlayer: Pick<Deployment['eigenlayer'], 'crossChainRegistry' | 'operatorTableUpdater'>;
  readonly operatorSet: OperatorSet;
  /** The generator's BN254 key, a scalar of the group. */
  readonly generatorKey: bigint;
}

/** A table that arrived. */
export interface TransportedTable {
  /** Names the table in certificates, seconds. */
  readonly referenceTimestamp: number;
  /** Block of the stake chain that the table was computed in. */
  readonly referenceBlockNumber: number;
  readonly globalTableRoot: Hex;
  readonly operatorSetIndex: number;
  /** Sets whose calculator failed and that are not in the root. */
  readonly skipped: readonly OperatorSet[];
}

/** No block of the stake chain is newer than the last confirmed root; try again after the next block. */
export class TableNotNewerError extends MatchmakerError<'TABLE_NOT_NEWER'> {
  constructor(timestamp: number, latest: number) {
    super('TABLE_NOT_NEWER', `the stake chain stands at ${timestamp}, and a root of ${latest} is confirmed already`, {
      metadata: { timestamp, latest },
      retryable: true,
    });
  }
}

/** The market chain's newest block is older than the table; try again after its next block. */
export class TableFromFutureError extends MatchmakerError<'TABLE_FROM_FUTURE'> {
  constructor(timestamp: number, now: number) {
    super('TABLE_FROM_FUTURE', `the market chain stands at ${now}, and the stake chain at ${timestamp} already`, {
      metadata: { timestamp, now },
      retryable: true,
    });
  }
}

/** The set has no reservation for tables, or its calculator fails. */
export class TableUnavailableError extends MatchmakerError<'TABLE_UNAVAILABLE'> {
  constructor(operatorSet: OperatorSet, reason: string, cause?: unknown) {
    super('TABLE_UNAVAILABLE', `operator set ${operatorSet.id} of ${operatorSet.avs} has no table: ${reason}`, {
      metadata: { ...operatorSet, reason },
      cause,
    });
  }
}

/** Certificates of the generator always name this timestamp. */
const GENERATOR_REFERENCE_TIMESTAMP = 1;

/**
 * Carries the set's table from the stake chain's newest block to the lane's chain: the root of all reserved sets' tables,
 * signed by the generator, then the set's table with its proof. `stakeRpc` is the stake chain where it is another one.
 * Throws TableNotNewerError, TableFromFutureError, TableUnavailableError, Bn254KeyInvalidError, EigenCallRevertedError,
 * TransactionRevertedError and the errors of the RPC.
 */
export async function transportOperatorTable(
  transport: TableTransport,
  dependencies: EigenDependencies & { readonly stakeRpc?: Rpc },
): Promise<TransportedTable> {
  const { lane, rpc, stakeRpc = rpc } = dependencies;
  const updater = { address: transport.eigenlayer.operatorTableUpdater, abi: iOperatorTableUpdaterAbi };
  const { number: referenceBlockNumber, timestamp: referenceTimestamp, hash } = await stakeRpc.request(latestBlock());
  const latest = await readEigen(rpc, { ...updater, functionName: 'getLatestReferenceTimestamp', args: [] });
  if (referenceTimestamp <= latest) throw new TableNotNewerError(referenceTimestamp, latest);
  const { timestamp: now } = await rpc.request(latestBlock());
  if (now < referenceTimestamp) throw new TableFromFutureError(referenceTimestamp, now);

  const { tables, skipped } = await calculateTables(transport, stakeRpc, hash);
  const operatorSetIndex = tables.findIndex((table) => isSameSet(table.operatorSet, transport.operatorSet));
  const tableBytes = tables[operatorSetIndex]?.bytes;
  if (tableBytes === undefined) throw new TableUnavailableError(transport.operatorSet, 'it is not reserved');
  const leaves = tables.map((table) => operatorTableLeaf(table.bytes));
  const globalTableRoot = merkleRoot(leaves);

  const rootArguments = [globalTableRoot, referenceTimestamp, referenceBlockNumber] as const;
  const certificate = await certifyRoot(transport, rpc, rootArguments);
  await writeEigen(lane, {
    ...updater,
    functionName: 'confirmGlobalTableRoot',
    args: [certificate, ...rootArguments],
  });
  await writeEigen(lane, {
    ...updater,
    functionName: 'updateOperatorTable',
    args: [referenceTimestamp, globalTableRoot, operatorSetIndex, merkleProof(leaves, operatorSetIndex), tableBytes],
  });
  return { referenceTimestamp, referenceBlockNumber, globalTableRoot, operatorSetIndex, skipped };
}

/** Tables of all reserved sets in the registry's order; a set whose calculator reverts is skipped, unless it is ours. */
async function calculateTables(
  transport: TableTransport,
  stakeRpc: Rpc,
  at: BlockPoint,
): Promise<{ tables: { operatorSet: OperatorSet; bytes: Hex }[]; skipped: OperatorSet[] }> {
  const registry = { address: transport.eigenlayer.crossChainRegistry, abi: iCrossChainRegistryAbi };
  const reserved = await readEigen(
    stakeRpc,
    { ...registry, functionName: 'getActiveGenerationReservations', args: [] },
    at,
  );
  const tables = [];
  const skipped = [];
  for (const operatorSet of reserved) {
    try {
      const bytes = await readEigen(
        stakeRpc,
        { ...registry, functionName: 'calculateOperatorTableBytes', args: [operatorSet] },
        at,
      );
      tables.push({ operatorSet, bytes });
    } catch (error) {
      if (!(error instanceof EigenCallRevertedError)) throw error;
      if (isSameSet(operatorSet, transport.operatorSet)) {
        throw new TableUnavailableError(operatorSet, error.message, error);
      }
      skipped.push(operatorSet);
    }
  }
  return { tables, skipped };
}

/** The generator's certificate over a root. */
async function certifyRoot(
  transport: TableTransport,
  rpc: Rpc,
  rootArguments: readonly [root: Hex, referenceTimestamp: number, referenceBlockNumber: number],
) {
  const updater = { address: transport.eigenlayer.operatorTableUpdater, abi: iOperatorTableUpdaterAbi };
  const messageHash = await readEigen(rpc, {
    ...updater,
    functionName: 'getGlobalTableUpdateMessageHash',
    args: rootArguments,
  });
  const digest = await readEigen(rpc, {
    ...updater,
    functionName: 'getGlobalTableUpdateSignableDigest',
    args: rootArguments,
  });
  return {
    referenceTimestamp: GENERATOR_REFERENCE_TIMESTAMP,
    messageHash,
    signature: bn254Sign(transport.generatorKey, digest),
    apk: bn254PublicKey(transport.generatorKey).g2,
    nonSignerWitnesses: [],
  };
}
