import type { Address } from 'viem';
import { MatchmakerError } from '../../engine/error.js';
import type { TableEntry } from '../../protocol/operatorTable.js';
import type { OperatorSet } from '../../protocol/operatorSet.js';
import { iecdsaCertificateVerifierAbi } from '../contracts/generated/IECDSACertificateVerifier.js';
import type { Deployment } from '../deployment.js';
import type { Rpc } from '../rpc/rpc.js';
import { readEigen } from './eigenCall.js';

/** The newest table that a verifier holds for a set. */
export interface StoredTable {
  /** Seconds; names the table in certificates. */
  readonly referenceTimestamp: number;
  /** Seconds after the reference timestamp for which certificates pass; 0 means for ever. */
  readonly maxStalenessSeconds: number;
  /** Signing keys, in lower case, and weights in the table's order. */
  readonly entries: readonly TableEntry[];
}

/** The verifier has no table for the set yet. */
export class NoOperatorTableError extends MatchmakerError<'NO_OPERATOR_TABLE'> {
  constructor({ avs, id }: OperatorSet) {
    super('NO_OPERATOR_TABLE', `no table has arrived for operator set ${id} of ${avs}: transport one`, {
      metadata: { avs, id },
      retryable: true,
    });
  }
}

/** An operator has none or several weights, so this is not a table of one strategy. */
export class WeightCountError extends MatchmakerError<'WEIGHT_COUNT'> {
  constructor(key: Address, count: number) {
    super('WEIGHT_COUNT', `operator table: ${key} has ${count} weights instead of one`, { metadata: { key, count } });
  }
}

/**
 * Reads the newest table that the verifier holds for the set.
 * Throws NoOperatorTableError, WeightCountError and the errors of the RPC.
 */
export async function readOperatorTable(
  parameters: {
    readonly eigenlayer: Pick<Deployment['eigenlayer'], 'ecdsaCertificateVerifier'>;
    readonly operatorSet: OperatorSet;
  },
  dependencies: { readonly rpc: Rpc },
): Promise<StoredTable> {
  const { rpc } = dependencies;
  const { operatorSet } = parameters;
  const verifier = { address: parameters.eigenlayer.ecdsaCertificateVerifier, abi: iecdsaCertificateVerifierAbi };
  const referenceTimestamp = await readEigen(rpc, {
    ...verifier,
    functionName: 'latestReferenceTimestamp',
    args: [operatorSet],
  });
  if (referenceTimestamp === 0) throw new NoOperatorTableError(operatorSet);
  const maxStalenessSeconds = await readEigen(rpc, {
    ...verifier,
    functionName: 'maxOperatorTableStaleness',
    args: [operatorSet],
  });
  const infos = await readEigen(rpc, {
    ...verifier,
    functionName: 'getOperatorInfos',
    args: [operatorSet, referenceTimestamp],
  });
  const entries = infos.map(({ pubkey, weights }): TableEntry => {
    const [weight, ...others] = weights;
    if (weight === undefined || others.length > 0) throw new WeightCountError(pubkey, weights.length);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- an address in lower case is one
    return { key: pubkey.toLowerCase() as Address, weight };
  });
  return { referenceTimestamp, maxStalenessSeconds, entries };
}
