// What an upgrade may change about a module's storage: fields may be appended, nothing may move, change or vanish.

/**
 * The compiler's layout of a probe contract whose one variable is the module's Layout struct, without the numbers that change with every
 * compilation. Slots count from the namespace's base.
 */
export function normalized({ storage, types }) {
  if (storage.length !== 1) throw new Error(`a probe holds one variable, this one ${storage.length}`);
  const plainName = (type) => type.replace(/\)\d+/g, ')');
  const field = ({ label, slot, offset, type }) => ({ label, slot, offset, type: plainName(type) });
  const seen = Object.entries(types).map(([name, type]) => {
    const plain = { encoding: type.encoding, label: type.label, numberOfBytes: type.numberOfBytes };
    if (type.key !== undefined) plain.key = plainName(type.key);
    if (type.value !== undefined) plain.value = plainName(type.value);
    if (type.base !== undefined) plain.base = plainName(type.base);
    if (type.members !== undefined) plain.members = type.members.map(field);
    return [plainName(name), plain];
  });
  if (new Set(seen.map(([name]) => name)).size !== seen.length) throw new Error('two types have one name');
  return { root: plainName(storage[0].type), types: Object.fromEntries(seen.sort(([a], [b]) => (a < b ? -1 : 1))) };
}

/** Why `now` cannot take over the storage of `before`, one line each; empty when it only appends. */
export function breaks(before, now) {
  const problems = [];
  const compared = new Set();
  compareType(before.root, now.root, 'Layout', true);
  return problems;

  /** A struct may grow where nothing comes after it: as the layout itself and as what a mapping leads to. */
  function compareType(nameBefore, nameNow, path, mayGrow) {
    const visit = `${nameBefore} ${mayGrow}`;
    if (compared.has(visit)) return;
    compared.add(visit);
    const old = before.types[nameBefore];
    const new_ = now.types[nameNow];
    if (old.label !== new_.label || old.encoding !== new_.encoding) {
      problems.push(`${path}: was ${old.label}, is ${new_.label}`);
      return;
    }
    if (old.members !== undefined) {
      compareMembers(old.members, new_.members, path, mayGrow);
      if (!mayGrow && old.numberOfBytes !== new_.numberOfBytes) problems.push(`${path}: is of another size`);
      return;
    }
    if (old.key !== undefined) compareType(old.key, new_.key, `${path} key`, false);
    if (old.value !== undefined) compareType(old.value, new_.value, `${path}[]`, true);
    if (old.base !== undefined) compareType(old.base, new_.base, `${path}[]`, false);
    if (old.numberOfBytes !== new_.numberOfBytes) problems.push(`${path}: is of another size`);
  }

  function compareMembers(old, new_, path, mayGrow) {
    for (const [index, member] of old.entries()) {
      const where = `${path}.${member.label}`;
      const found = new_[index];
      if (found?.label !== member.label) {
        const elsewhere = new_.some(({ label }) => label === member.label);
        problems.push(elsewhere ? `${where}: moved` : `${where}: vanished`);
        continue;
      }
      if (found.slot !== member.slot || found.offset !== member.offset) {
        problems.push(`${where}: moved from slot ${member.slot}:${member.offset} to ${found.slot}:${found.offset}`);
        continue;
      }
      compareType(member.type, found.type, where, mayGrow && index === old.length - 1 && new_.length === old.length);
    }
    if (!mayGrow && new_.length > old.length) problems.push(`${path}: grew where something comes after it`);
  }
}
