import { isHex, type Hex } from 'viem';
import { z } from 'zod';

import type { RoundVotes } from '../chain/restaking/signingRecord.js';
import { MatchmakerError } from '../engine/error.js';
import { messageOf } from '../service/thrown.js';

/** An aggregator that was asked for closed rounds did not answer with one. */
export class AggregatorUnreadableError extends MatchmakerError<'AGGREGATOR_UNREADABLE'> {
  constructor(url: string, problem: string, cause?: unknown) {
    super('AGGREGATOR_UNREADABLE', `aggregator ${url}: ${problem}; check the URL, or leave --aggregator out`, {
      metadata: { url, problem },
      retryable: true,
      cause,
    });
  }
}

const REQUEST_TIMEOUT_MS = 10_000;
const NOT_FOUND = 404;

const hex = z.string().refine((text): text is Hex => isHex(text), 'must be hex');
const summarySchema = z.object({
  round: z.number().int().positive(),
  participants: z.array(z.object({ signer: hex, messageHash: hex })),
  conflicts: z.array(hex),
});

/**
 * What aggregators saw signed in some closed rounds; a round that one does not know (any more) is left out.
 * Throws AggregatorUnreadableError.
 */
export async function readRoundVotes(
  urls: readonly string[],
  rounds: readonly number[],
): Promise<readonly RoundVotes[]> {
  const votes: RoundVotes[] = [];
  for (const url of urls) {
    for (const round of rounds) {
      const found = await readOne(url, round);
      if (found !== null) votes.push(found);
    }
  }
  return votes;
}

async function readOne(url: string, round: number): Promise<RoundVotes | null> {
  let response: Response;
  let body: unknown;
  try {
    const base = url.endsWith('/') ? url : `${url}/`;
    response = await fetch(new URL(`v1/rounds/${round}`, base), { signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) });
    body = await response.json();
  } catch (error) {
    throw new AggregatorUnreadableError(url, messageOf(error), error);
  }
  if (response.status === NOT_FOUND) return null;
  const parsed = summarySchema.safeParse(body);
  if (!response.ok || !parsed.success) throw new AggregatorUnreadableError(url, `round ${round} is not readable`);
  return parsed.data;
}
