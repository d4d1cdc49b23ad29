import type { Address } from 'viem';
import { WeightCountError } from '../../chain/eigenlayer/readTableEntries.js';
import type { TableEntry } from '../../protocol/operatorTable.js';
import type { OperatorSet } from '../../protocol/operatorSet.js';
import { iecdsaCertificateVerifierAbi } from '../../chain/contracts/generated/IECDSACertificateVerifier.js';
import type { Deployment } from '../../chain/deployment.js';
import type { Rpc } from '../../chain/rpc/rpc.js';
import { readEigen } from '../../chain/eigenlayer/eigenCall.js';

/** The newest table that a verifier holds for a set. */
export interface StoredTable {
  /** Seconds; names the table in certificates. */
  readonly referenceTimestamp: number;
  /** Seconds after the reference timestamp for which certificates pass; 0 means for ever. */
  readonly maxStalenessSeconds: number;
  /** Signing keys, in lower case, and weights in the table's order. */
  readonly entries: readonly TableEntry[];
}

/** Reads the newest table that the verifier holds for the set; null while none has arrived. Throws WeightCountError and the errors of the RPC. */
export async function storedTable(
  parameters: {
    readonly eigenlayer: Pick<Deployment['eigenlayer'], 'ecdsaCertificateVerifier'>;
    readonly operatorSet: OperatorSet;
  },
  dependencies: { readonly rpc: Rpc },
): Promise<StoredTable | null> {
  const { rpc } = dependencies;
  const { operatorSet } = parameters;
  const verifier = { address: parameters.eigenlayer.ecdsaCertificateVerifier, abi: iecdsaCertificateVerifierAbi };
  const referenceTimestamp = await readEigen(rpc, {
    ...verifier,
    functionName: 'latestReferenceTimestamp',
    args: [operatorSet],
  });
  if (referenceTimestamp === 0) return null;
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
