// Compares every module's storage with the committed layouts. With --accept it writes new ones, as long as they only append.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { encodeAbiParameters, keccak256, toHex } from 'viem';
import { breaks, normalized } from './storage-layout.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const out = 'out-layouts';
const accepts = process.argv.includes('--accept');

/** Base of an ERC-7201 namespace: keccak256(abi.encode(uint256(keccak256(id)) - 1)) with its last byte zero. */
function namespaceSlot(id) {
  const inner = BigInt(keccak256(toHex(id))) - 1n;
  return toHex(BigInt(keccak256(encodeAbiParameters([{ type: 'uint256' }], [inner]))) & ~0xffn, { size: 32 });
}

/** Every upgradeable module with its source. */
function modules() {
  return readdirSync(`${here}src`, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.sol'))
    .map((file) => ({ file, source: readFileSync(`${here}src/${file}`, 'utf8') }))
    .flatMap(({ file, source }) => {
      const name = /^contract (\w+) is [^{]*\bMarketModule\b/m.exec(source)?.[1];
      return name === undefined ? [] : [{ name, file, source }];
    });
}

function artifact(file, name) {
  const path = `${here}${out}/${file}/${name}.json`;
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined;
}

/** What is wrong with one module, one line each. */
function problemsOf({ name, file, source }) {
  const problems = [];
  const own = artifact(file.split('/').at(-1), name)?.storageLayout;
  if (own === undefined) return ['was not compiled'];
  for (const { label } of own.storage) problems.push(`${label} lies outside of its namespace`);

  const committedFile = `${here}storage-layouts/${name}.json`;
  const probe = artifact('StorageLayouts.sol', `${name}Layout`)?.storageLayout;
  if (!/^\s*struct Layout \{/m.test(source)) {
    if (probe !== undefined) problems.push('has a probe and no Layout');
    if (existsSync(committedFile)) problems.push('its Layout vanished');
    return problems;
  }
  if (probe === undefined) return [...problems, `has no probe: add ${name}Layout to test/storage/StorageLayouts.sol`];
  const namespace = `matchmaker.storage.${name}`;
  if (!source.includes(`/// @custom:storage-location erc7201:${namespace}\n    struct Layout {`)) {
    problems.push(`its Layout is not annotated with erc7201:${namespace}`);
  }
  const slot = /LAYOUT_SLOT =\s*(0x[0-9a-f]{64});/.exec(source)?.[1];
  if (slot !== namespaceSlot(namespace)) problems.push(`LAYOUT_SLOT must be ${namespaceSlot(namespace)}`);

  const now = normalized(probe);
  const committed = existsSync(committedFile) ? JSON.parse(readFileSync(committedFile, 'utf8')) : undefined;
  const broken = committed === undefined ? [] : breaks(committed, now);
  if (broken.length > 0) return [...problems, ...broken];
  const text = `${JSON.stringify(now, null, 2)}\n`;
  if (committed !== undefined && JSON.stringify(committed) === JSON.stringify(now)) return problems;
  if (accepts && problems.length === 0) {
    writeFileSync(committedFile, text);
    console.log(`${name}: accepted`);
  } else if (committed === undefined) {
    problems.push('has no committed layout: run node contracts/check-storage-layouts.mjs --accept');
  } else {
    console.log(`${name}: fields were appended; commit them with node contracts/check-storage-layouts.mjs --accept`);
  }
  return problems;
}

const found = modules();
const files = found.map(({ file }) => `src/${file}`);
const built = spawnSync('./tools/forge', ['build', 'test/storage', ...files, '-q'], {
  cwd: here,
  stdio: ['ignore', 'inherit', 'inherit'],
  env: { ...process.env, FOUNDRY_PROFILE: 'layouts', FOUNDRY_OUT: out, FOUNDRY_CACHE_PATH: 'cache-layouts' },
});
if (built.status !== 0) process.exit(1);
const problems = found.flatMap((module) => problemsOf(module).map((problem) => `${module.name}: ${problem}`));
for (const file of readdirSync(`${here}storage-layouts`)) {
  const name = file.replace(/\.json$/, '');
  if (!found.some((module) => module.name === name)) problems.push(`${name}: committed, and no module any more`);
}
for (const problem of problems) console.error(problem);
if (problems.length === 0) console.log(`${found.length} modules keep their storage where it was`);
process.exit(problems.length === 0 ? 0 : 1);
