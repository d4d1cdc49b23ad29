import type { AuditReport } from '../auditRun.js';
import type { SceneReport } from './storyContext.js';

/** Scenes as they are told once the replay is there, and those that it does not bear out. */
export interface ProvenScenes {
  readonly scenes: readonly { readonly scene: string; readonly line: string }[];
  readonly mismatches: readonly string[];
}

/** Orders whose rounds the replay must explain. */
export function ordersToExplain(reports: readonly SceneReport[]): number[] {
  return reports.flatMap(({ proofs = [] }) => proofs.map(({ orderId }) => orderId));
}

/** Holds what scenes say against what the replay of the chain made of their orders in each round. */
export function provenScenes(
  reports: readonly SceneReport[],
  { explained }: Pick<AuditReport, 'explained'>,
): ProvenScenes {
  const mismatches: string[] = [];
  const scenes = reports.map(({ scene, line, proofs = [] }) => {
    const shown = proofs.flatMap(({ orderId, shownBy }) => {
      const rounds = explained.get(orderId) ?? [];
      const words = shownBy(rounds);
      if (words === null) mismatches.push(`scene "${scene}": the replay does not bear out order ${orderId}`);
      return words ?? [];
    });
    return { scene, line: shown.length === 0 ? line : `${line} [${shown.join('; ')}]` };
  });
  return { scenes, mismatches };
}
