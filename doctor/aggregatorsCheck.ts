import { livesAt } from '../operator/aggregatorProbe.js';
import { maskUrl } from '../service/logger.js';
import { failed, ok, skipped, type Finding } from './finding.js';
import type { Patient } from './patient.js';

const TIMEOUT_MS = 5_000;

/** Every configured aggregator answers. */
export async function checkAggregators({ aggregators, role }: Patient): Promise<Finding> {
  if (role === 'aggregator') return skipped('an aggregator posts to nobody');
  const live = await Promise.all(aggregators.map((url) => livesAt(url, { requestTimeoutMs: TIMEOUT_MS })));
  const silent = aggregators.filter((_, index) => !live[index]).map(maskUrl);
  return silent.length === 0
    ? ok(`${aggregators.length} answer`)
    : failed(
        `${silent.join(', ')} ${silent.length === 1 ? 'does' : 'do'} not answer`,
        'correct the URL, open the way to it, or take it out of `aggregators`',
      );
}
