import { encodeDeployData, type Address, type Hex } from 'viem';
import { MatchmakerError } from '../../engine/error.js';
import { eigenBn254QuorumAbi, eigenBn254QuorumBytecode } from '../contracts/generated/EigenBn254Quorum.js';
import { eigenEcdsaQuorumAbi, eigenEcdsaQuorumBytecode } from '../contracts/generated/EigenEcdsaQuorum.js';
import { tableBn254QuorumAbi, tableBn254QuorumBytecode } from '../contracts/generated/TableBn254Quorum.js';
import { tableEcdsaQuorumAbi, tableEcdsaQuorumBytecode } from '../contracts/generated/TableEcdsaQuorum.js';
import type { MarketParameters, QuorumParameters } from './marketParameters.js';

/** A table receiver was named although EigenLayer's verifier shall check the certificates. */
export class ReceiverNotCheckedError extends MatchmakerError<'RECEIVER_NOT_CHECKED'> {
  constructor(receiver: Address) {
    super(
      'RECEIVER_NOT_CHECKED',
      `tables arrive at ${receiver}, which verifies nothing: set quorum.checkedBy to 'table', or leave the receiver out`,
      { metadata: { receiver } },
    );
  }
}

/** Where a quorum's tables arrive on the market chain; the digest of an ECDSA certificate names it. */
export function tableSourceOf(
  { curve, receiver }: QuorumParameters,
  { eigenlayer }: Pick<MarketParameters['stakeSide'], 'eigenlayer'>,
): Address {
  return receiver ?? (curve === 'ecdsa' ? eigenlayer.ecdsaCertificateVerifier : eigenlayer.bn254CertificateVerifier);
}

/** Creation code of the quorum verifier that the parameters ask for. Throws ReceiverNotCheckedError. */
export function quorumVerifierData({ quorum, stakeSide }: Pick<MarketParameters, 'quorum' | 'stakeSide'>): Hex {
  const { operatorSet, eigenlayer } = stakeSide;
  const source = tableSourceOf(quorum, stakeSide);
  // A receiver says itself which of its tables it still vouches for.
  const roots = quorum.receiver ?? eigenlayer.operatorTableUpdater;
  if (quorum.checkedBy === 'table') {
    const args = [source, roots, operatorSet] as const;
    return quorum.curve === 'ecdsa'
      ? encodeDeployData({ abi: tableEcdsaQuorumAbi, bytecode: tableEcdsaQuorumBytecode, args })
      : encodeDeployData({ abi: tableBn254QuorumAbi, bytecode: tableBn254QuorumBytecode, args });
  }
  if (quorum.receiver !== undefined) throw new ReceiverNotCheckedError(quorum.receiver);
  return quorum.curve === 'ecdsa'
    ? encodeDeployData({
        abi: eigenEcdsaQuorumAbi,
        bytecode: eigenEcdsaQuorumBytecode,
        args: [source, operatorSet],
      })
    : encodeDeployData({
        abi: eigenBn254QuorumAbi,
        bytecode: eigenBn254QuorumBytecode,
        args: [source, roots, operatorSet],
      });
}
