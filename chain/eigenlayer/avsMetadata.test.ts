import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { parseAvsTerms } from './avsTerms.js';
import { AvsMetadataInvalidError, parseAvsMetadata } from './avsMetadata.js';

const read = (name: string): unknown => JSON.parse(readFileSync(`config/avs/${name}.json`, 'utf8'));

test('ours would be listed, and says what a fault costs', () => {
  const { operatorSets } = parseAvsMetadata(read('metadata'));
  const { equivocationBps, wrongBatchBps } = parseAvsTerms(read('default'));
  const conditions = operatorSets[0]?.slashingConditions ?? [];
  expect(conditions.filter((line) => line.includes(`${equivocationBps / 100} %`))).toHaveLength(1);
  expect(conditions.filter((line) => line.includes(`${wrongBatchBps / 100} %`))).toHaveLength(conditions.length - 1);
});

test.each([
  ['a name of too many bytes', { name: 'é'.repeat(251) }, 'name: must be at most 500 bytes'],
  ['an unusual sign', { description: 'a\nb' }, 'description: may have letters'],
  ['a logo that is no png', { logo: 'https://matchmaker.example/logo.svg' }, 'logo: must be the URL of a .png'],
  ['another network', { twitter: 'https://x.com.example/matchmaker' }, 'twitter: must be on twitter.com or x.com'],
  ['a set without conditions', { operatorSets: [{ id: 1 }] }, 'operatorSets.0.id: '],
  ['an unknown field', { extra: 1 }, 'extra'],
])('%s is refused', (_, change, problem) => {
  const act = () => parseAvsMetadata({ ...(read('metadata') as object), ...change });
  expect(act).toThrow(AvsMetadataInvalidError);
  expect(act).toThrow(problem);
});
