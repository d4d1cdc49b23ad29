import type { BatchFinding } from '../engine/auditBatch.js';
import { rejectionName } from '../engine/rejectionReason.js';

/** A finding in one line for people. */
export function describeFinding(finding: BatchFinding): string {
  const { orderId } = finding;
  switch (finding.fault) {
    case 'wrongRecord': {
      const place = `record ${finding.index}: order ${orderId}`;
      if (finding.machine === null) return `${place} was not eligible`;
      const on = `${place} on machine ${finding.machine.machineId}`;
      return finding.reason === 0
        ? `${on} has another ${finding.differing.join(', ')} than the rules give`
        : `${on} fails the filter ${rejectionName(finding.reason)}`;
    }
    case 'betterCandidate':
      return `record ${finding.index}: order ${orderId} went to machine ${finding.winner.machineId} with ${finding.winnerTotal} points although machine ${finding.candidate.machineId} had ${finding.candidateTotal}`;
    case 'unknownName':
      return `record ${finding.index}: order ${orderId} on machine ${finding.machineId} names a ${finding.name} that never existed`;
    default:
      return `order ${orderId} was left out although machine ${finding.candidate.machineId} could take it`;
  }
}
