import { expect, test } from '@jest/globals';
import * as slots from './slots.js';
import { WordFieldInvalidError } from './wordLayout.js';

test('the words of neighbouring ids and of all kinds never share a slot', () => {
  const all = [
    ...[1, 2, 0xffff_ffff].flatMap((id) => [
      ...Array.from({ length: 10 }, (_, k) => slots.machineSlot(id, k)),
      ...[0, 1, 2].map((k) => slots.orderSlot(id, k)),
      slots.bidSlot(id, 0),
      slots.bidSlot(id, 254),
    ]),
    ...[1, 2, 0xff_ffff].flatMap((id) => [slots.providerSlot(id, 0), slots.providerSlot(id, 1)]),
    ...Object.entries(slots).flatMap(([name, value]) =>
      name.endsWith('_SLOT') && typeof value === 'bigint' ? [value] : [],
    ),
  ];
  expect(all.length).toBeGreaterThan(60);
  expect(new Set(all).size).toBe(all.length);
});

test.each([
  () => slots.machineSlot(0, 0),
  () => slots.machineSlot(2 ** 32, 0),
  () => slots.machineSlot(1, 10),
  () => slots.providerSlot(2 ** 24, 0),
  () => slots.orderSlot(1, 3),
  () => slots.bidSlot(1, 255),
  () => slots.orderSlot(1.5, 0),
])('%s does not exist', (slot) => {
  expect(slot).toThrow(WordFieldInvalidError);
});
