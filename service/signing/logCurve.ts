import type { Logger } from '../logger.js';
import type { CurveReport } from './curves.js';

/** Says which implementation of a curve runs, and warns when it is the slow one. */
export function logCurve(logger: Logger): (report: CurveReport) => void {
  return ({ curve, backend, fallbackReason }) => {
    if (fallbackReason === undefined) logger.info({ event: 'curve', curve, backend }, 'signatures run at full speed');
    else logger.warn({ event: 'curve', curve, backend, reason: fallbackReason }, 'signatures run on the slow fallback');
  };
}
