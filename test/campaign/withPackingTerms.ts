import { decodeAbiParameters, encodeAbiParameters } from 'viem';
import type { Hex } from 'viem';
import type { PackingTerms } from '../../engine/policy.js';
import { evidenceAbiParameters } from '../../protocol/evidence/evidenceAbi.js';
import type { FaultName } from '../../protocol/evidence/evidenceAbi.js';

/** Evidence of a wrong record or a better candidate, as it is but for the packing terms that it shows. Throws RangeError for another fault. */
export function withPackingTerms(fault: FaultName, evidence: Hex, packing: PackingTerms): Hex {
  switch (fault) {
    case 'wrongRecord': {
      const [shown] = decodeAbiParameters(evidenceAbiParameters[fault], evidence);
      return encodeAbiParameters(evidenceAbiParameters[fault], [{ ...shown, batch: { ...shown.batch, packing } }]);
    }
    case 'betterCandidate': {
      const [shown] = decodeAbiParameters(evidenceAbiParameters[fault], evidence);
      return encodeAbiParameters(evidenceAbiParameters[fault], [{ ...shown, batch: { ...shown.batch, packing } }]);
    }
    default:
      throw new RangeError(`evidence of ${fault} with other packing terms is not asked for`);
  }
}
