import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import {
  compressSpheronSpec,
  decompressSpheronSpec,
  SpheronSpecInvalidError,
  type SpheronOrderSpec,
} from './orderSpecString.js';

/** As Spheron's own SDK writes it: keys in its order. */
const COMPRESSED =
  '{n:eu,pr:{a:[{k:cpu_model,v:any},{k:region,v:germany;netherlands}]},s:[{n:trainer,r:{i:1,c:{u:8000,a:[]},m:{u:34359738368,a:[]},' +
  's:[{n:default,a:[],u:214748364800}],g:{u:2,a:[{k:vendor/nvidia/model/h100,v:true}]},e:[{k:0,s:0},{k:1,s:0}]},c:1}]}';

const SPEC: SpheronOrderSpec = {
  name: 'eu',
  attributes: [
    { key: 'cpu_model', value: 'any' },
    { key: 'region', value: 'germany;netherlands' },
  ],
  services: [
    {
      name: 'trainer',
      resources: {
        id: 1,
        cpu: { units: 8000, attributes: [] },
        memory: { units: 34_359_738_368, attributes: [] },
        storage: [{ name: 'default', units: 214_748_364_800, attributes: [] }],
        gpu: { units: 2, attributes: [{ key: 'vendor/nvidia/model/h100', value: 'true' }] },
        endpoints: [
          { kind: 0, sequenceNumber: 0 },
          { kind: 1, sequenceNumber: 0 },
        ],
      },
      replicaCount: 1,
    },
  ],
};

test('a spec is written as Spheron writes it, and read back', () => {
  expect(compressSpheronSpec(SPEC)).toBe(COMPRESSED);
  expect(decompressSpheronSpec(COMPRESSED)).toEqual(SPEC);
});

test('the order of keys does not matter', () => {
  expect(decompressSpheronSpec('{s:[],pr:{},n:eu}')).toEqual({ name: 'eu', attributes: [], services: [] });
});

test('any spec comes back whole', () => {
  const word = fc.stringMatching(/^[A-Za-z0-9/_;.-]([A-Za-z0-9/_;. -]*[A-Za-z0-9/_;.-])?$/);
  const amount = fc.maxSafeNat();
  const attributes = fc.array(fc.record({ key: word, value: word }), { maxLength: 3 });
  const units = fc.record({ units: amount, attributes });
  const service = fc.record({
    name: word,
    resources: fc.record({
      id: amount,
      cpu: units,
      memory: units,
      storage: fc.array(fc.record({ name: word, units: amount, attributes }), { maxLength: 2 }),
      gpu: units,
      endpoints: fc.array(fc.record({ kind: amount, sequenceNumber: amount }), { maxLength: 2 }),
    }),
    replicaCount: amount,
  });
  const spec = fc.record({ name: word, attributes, services: fc.array(service, { maxLength: 3 }) });
  fc.assert(fc.property(spec, (value) => expect(decompressSpheronSpec(compressSpheronSpec(value))).toEqual(value)));
});

test.each([
  ['', 'a text is missing'],
  ['{n:eu,pr:{a:[]},s:[]}x', 'more text than a spec at character 22'],
  ['{n:eu,pr:{a:[]},s:[]', '`}` is missing'],
  ['{n:eu,s:[]}', '`pr` is missing'],
  ['{n:eu,n:us,pr:{},s:[]}', 'a second `n`'],
  ['{n:eu,pr:{},s:[],z:1}', '`z` does not belong here'],
  ['{n:eu,pr:{},s:{}}', 'a list is missing'],
  ['{n:eu,pr:{a:[{k:region}]},s:[]}', '`v` is missing'],
  [COMPRESSED.replace('u:8000', 'u:8.5'), '`8.5` is no whole number'],
  ['['.repeat(1000), 'too deeply nested'],
])('%s is refused', (text, problem) => {
  expect(() => decompressSpheronSpec(text)).toThrow(problem);
});

test('any text gives a spec or an error of this kind', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('{', '}', '[', ']', ':', ',', 'n', 's', 'k', '1', ' ') }), (text) => {
      try {
        decompressSpheronSpec(text);
      } catch (error) {
        expect(error).toBeInstanceOf(SpheronSpecInvalidError);
      }
    }),
  );
});

test('what quotes would be needed for is refused', () => {
  for (const name of ['a,b', 'a:b', '', ' a', '{a}']) {
    expect(() => compressSpheronSpec({ ...SPEC, name })).toThrow(SpheronSpecInvalidError);
  }
  const [service] = SPEC.services;
  expect(() => compressSpheronSpec({ ...SPEC, services: [{ ...service!, replicaCount: 1.5 }] })).toThrow(
    '1.5 is no whole number',
  );
});
