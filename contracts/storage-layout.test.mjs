import assert from 'node:assert/strict';
import { test } from 'node:test';
import { breaks, normalized } from './storage-layout.mjs';

/** As the compiler gives it: a packed pair, a mapping to structs, an array of structs, a struct in place, and a word. */
function compiled() {
  const member = (label, slot, offset, type) => ({ astId: 7, contract: 'X', label, slot, offset, type });
  const plain = (label, bytes) => ({ encoding: 'inplace', label, numberOfBytes: bytes });
  return {
    storage: [member('_layout', '0', 0, 't_struct(Layout)90_storage')],
    types: {
      t_uint256: plain('uint256', '32'),
      t_uint128: plain('uint128', '16'),
      t_uint64: plain('uint64', '8'),
      t_address: plain('address', '20'),
      't_struct(Layout)90_storage': {
        ...plain('struct X.Layout', '224'),
        members: [
          member('a', '0', 0, 't_uint128'),
          member('b', '0', 16, 't_uint64'),
          member('accounts', '1', 0, 't_mapping(t_address,t_struct(Account)20_storage)'),
          member('entries', '2', 0, 't_array(t_struct(Entry)30_storage)dyn_storage'),
          member('pairs', '3', 0, 't_array(t_uint64)2_storage'),
          member('terms', '4', 0, 't_struct(Terms)40_storage'),
          member('last', '5', 0, 't_uint256'),
        ],
      },
      't_mapping(t_address,t_struct(Account)20_storage)': {
        encoding: 'mapping',
        label: 'mapping(address => struct X.Account)',
        numberOfBytes: '32',
        key: 't_address',
        value: 't_struct(Account)20_storage',
      },
      't_array(t_struct(Entry)30_storage)dyn_storage': {
        encoding: 'dynamic_array',
        label: 'struct X.Entry[]',
        numberOfBytes: '32',
        base: 't_struct(Entry)30_storage',
      },
      't_array(t_uint64)2_storage': { ...plain('uint64[2]', '32'), base: 't_uint64' },
      't_struct(Account)20_storage': {
        ...plain('struct X.Account', '32'),
        members: [member('amount', '0', 0, 't_uint128')],
      },
      't_struct(Entry)30_storage': {
        ...plain('struct X.Entry', '32'),
        members: [member('amount', '0', 0, 't_uint128')],
      },
      't_struct(Terms)40_storage': {
        ...plain('struct X.Terms', '32'),
        members: [member('bps', '0', 0, 't_uint64')],
      },
    },
  };
}

const LAYOUT = 't_struct(Layout)90_storage';

/** What `breaks` says after `change` was made to the compiled layout. */
function afterwards(change) {
  const now = compiled();
  change(now.types, now.types[LAYOUT].members);
  return breaks(normalized(compiled()), normalized(now));
}

const appended = (type, slot = '6') => ({ label: 'added', slot, offset: 0, type });

void test('a layout takes over from itself, whatever numbers the compiler gave its types', () => {
  assert.deepEqual(
    afterwards(() => undefined),
    [],
  );
  const renumbered = JSON.parse(JSON.stringify(compiled()).replaceAll(/\)(\d)0_storage/g, ')$1$1$1_storage'));
  assert.deepEqual(breaks(normalized(compiled()), normalized(renumbered)), []);
});

void test('fields may be appended to the layout and to what a mapping leads to', () => {
  assert.deepEqual(
    afterwards((_, members) => members.push(appended('t_uint256'))),
    [],
  );
  assert.deepEqual(
    afterwards((types) => {
      types['t_struct(Account)20_storage'].members.push(appended('t_uint256', '1'));
      types['t_struct(Account)20_storage'].numberOfBytes = '64';
    }),
    [],
  );
});

const MUTATIONS = {
  'a field vanished': (_, members) => members.pop(),
  'a field was renamed': (_, members) => {
    members[6].label = 'renamed';
  },
  'two fields changed places': (_, members) => {
    [members[0].label, members[1].label] = [members[1].label, members[0].label];
  },
  'a field was put in before others': (_, members) => members.splice(1, 0, appended('t_uint64', '0')),
  'a field moved to another slot': (_, members) => {
    members[6].slot = '7';
  },
  'a field moved within its slot': (_, members) => {
    members[1].offset = 17;
  },
  'a field is of another type of the same size': (types, members) => {
    types['t_bytes32'] = { encoding: 'inplace', label: 'bytes32', numberOfBytes: '32' };
    members[6].type = 't_bytes32';
  },
  'a mapping has another key': (types) => {
    types['t_mapping(t_address,t_struct(Account)20_storage)'].key = 't_uint256';
  },
  "a field of a mapping's struct changed": (types) => {
    types['t_struct(Account)20_storage'].members[0].type = 't_uint64';
  },
  'the struct of an array grew': (types) => {
    types['t_struct(Entry)30_storage'].members.push(appended('t_uint256', '1'));
    types['t_struct(Entry)30_storage'].numberOfBytes = '64';
  },
  'the struct of an array grew within its last slot': (types) => {
    types['t_struct(Entry)30_storage'].members.push({ label: 'added', slot: '0', offset: 16, type: 't_uint64' });
  },
  'an array in place is longer': (types) => {
    types['t_array(t_uint64)2_storage'].numberOfBytes = '64';
  },
  'a struct in place grew before another field': (types, members) => {
    types['t_struct(Terms)40_storage'].members.push(appended('t_uint256', '1'));
    types['t_struct(Terms)40_storage'].numberOfBytes = '64';
    members[6].slot = '6';
  },
  'a struct in place grew into what follows': (types) => {
    types['t_struct(Terms)40_storage'].members.push(appended('t_uint256', '1'));
    types['t_struct(Terms)40_storage'].numberOfBytes = '64';
  },
};

for (const [what, change] of Object.entries(MUTATIONS)) {
  void test(`refused: ${what}`, () => {
    assert.notDeepEqual(afterwards(change), []);
  });
}

void test('a probe with two variables is none', () => {
  const two = compiled();
  two.storage.push(two.storage[0]);
  assert.throws(() => normalized(two), /one variable/);
});
