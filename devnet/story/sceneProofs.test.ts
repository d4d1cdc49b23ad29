import { describe, expect, it } from '@jest/globals';
import { ordersToExplain, provenScenes } from './sceneProofs.js';
import type { SceneReport } from './storyContext.js';

const reports: SceneReport[] = [
  {
    scene: 'bids',
    line: 'the cheapest won',
    proofs: [{ orderId: 7, shownBy: (rounds) => (rounds.length === 2 ? `${rounds.length} rounds` : null) }],
  },
  { scene: 'slash', line: 'half was taken' },
];

function explainedIn(count: number): Parameters<typeof provenScenes>[1] {
  const explanation = {
    orderId: 7,
    outcome: 'unmatched',
    eligibility: 'eligible',
    record: undefined,
    decidingReason: undefined,
    rejectedByReason: new Map(),
    rejections: [],
    scores: [],
  } as const;
  return { explained: new Map([[7, Array.from({ length: count }, (_, round) => ({ round, explanation }))]]) };
}

describe('provenScenes', () => {
  it('asks for the orders of all scenes', () => {
    expect(ordersToExplain(reports)).toEqual([7]);
  });

  it('adds what the rounds show', () => {
    const { scenes, mismatches } = provenScenes(reports, explainedIn(2));
    expect(scenes).toEqual([
      { scene: 'bids', line: 'the cheapest won [2 rounds]' },
      { scene: 'slash', line: 'half was taken' },
    ]);
    expect(mismatches).toEqual([]);
  });

  it('names a scene that the replay does not bear out', () => {
    const { mismatches } = provenScenes(reports, explainedIn(1));
    expect(mismatches).toEqual(['scene "bids": the replay does not bear out order 7']);
  });
});
