import { digestVectors, roundsVectors } from './digestVectors.js';
import { matchingVectors, packingVectors, POLICIES } from './matchingVectors.js';
import { PseudoRandom } from './pseudoRandom.js';
import { recordsVectors, wordVectors } from './wordVectors.js';

/** Seed of every pseudo-random choice in the files. */
const SEED = 20_260_101;

/** Name and exact text of each vectors file. */
export function vectorFiles(): Record<string, string> {
  const contents = {
    'words.json': wordVectors(new PseudoRandom(SEED)),
    'records.json': recordsVectors(new PseudoRandom(SEED + 1)),
    'digests.json': digestVectors(new PseudoRandom(SEED + 2), POLICIES),
    'rounds.json': roundsVectors(new PseudoRandom(SEED + 3)),
    'matching.json': matchingVectors(new PseudoRandom(SEED + 4)),
    'packing.json': packingVectors(new PseudoRandom(SEED + 5)),
  };
  return Object.fromEntries(Object.entries(contents).map(([name, content]) => [name, textOf(content)]));
}

/** JSON with one line for each column, so that a change shows as the lines it touches. */
function textOf(content: unknown): string {
  const indented = JSON.stringify(content, null, 1);
  return `${indented.replace(/\[\n\s+([^[\]{}]*?)\n\s+\]/g, (_, items: string) => `[${items.replace(/\n\s+/g, '')}]`)}\n`;
}
