// Plants each bug of contracts/planted-bugs/ into a copy of the contracts, and requires that the economy's tests fail.
//   npm run campaign:bugs            all of them
//   npm run campaign:bugs -- 03 07   those whose file begins so
// A bug that no test catches, a patch that no longer applies, and a copy that does not compile are failures of this command.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const contracts = join(root, 'contracts');
const patches = join(contracts, 'planted-bugs');
const TESTS = ['test', '--match-path', 'test/invariant/Economy.t.sol', '--match-test', '^test_S', '-vv'];

const chosen = process.argv.slice(2);
const names = readdirSync(patches)
  .filter((name) => name.endsWith('.patch'))
  .filter((name) => chosen.length === 0 || chosen.some((prefix) => name.startsWith(prefix)))
  .sort();
if (names.length === 0) {
  process.stderr.write(`no planted bug begins with ${chosen.join(' or ')}\n`);
  process.exit(2);
}

const scratch = mkdtempSync(join(tmpdir(), 'matchmaker-bugs-'));
const copy = join(scratch, 'contracts');
try {
  symlinkSync(join(root, 'node_modules'), join(scratch, 'node_modules'));
  for (const part of ['foundry.toml', 'src', 'test', 'tools', 'snapshots']) {
    cpSync(join(contracts, part), join(copy, part), { recursive: true });
  }
  const missed = names.filter((name) => !isCaught(name));
  process.stdout.write(`${names.length - missed.length} of ${names.length} planted bugs caught\n`);
  if (missed.length > 0) {
    process.stdout.write(`not caught: ${missed.join(', ')}\n`);
    process.exitCode = 1;
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

function isCaught(name) {
  const patch = readFileSync(join(patches, name), 'utf8');
  const file = /^\+\+\+ b\/(\S+)/m.exec(patch)?.[1];
  if (file === undefined) throw new Error(`${name} names no file`);
  const original = readFileSync(join(copy, file));
  const applied = spawnSync('git', ['apply', '--recount', join(patches, name)], { cwd: copy, encoding: 'utf8' });
  if (applied.status !== 0) {
    process.stdout.write(`${name}: does not apply: ${applied.stderr}\n`);
    return false;
  }
  try {
    const { stdout, stderr } = spawnSync('./tools/forge', TESTS, {
      cwd: copy,
      encoding: 'utf8',
      maxBuffer: 1 << 28,
      // Compiling is most of the time; the bugs are the same without the optimizer.
      env: { ...process.env, FOUNDRY_OPTIMIZER: 'false' },
    });
    const failed = [...new Set([...stdout.matchAll(/^\[FAIL.*\] (test_\w+)\(/gm)].map((match) => match[1]))];
    const ran = /Ran \d+ test suites? .*?: \d+ tests? passed, \d+ failed/.test(stdout);
    const finding = /(VIOLATION|UNEXPECTED) [^\n]*/.exec(stdout)?.[0] ?? '';
    if (!ran) process.stdout.write(`${name}: the tests did not run:\n${stdout.slice(-2000)}${stderr.slice(-2000)}\n`);
    else
      process.stdout.write(
        `${name}: ${failed.length > 0 ? `caught by ${failed.join(', ')}` : 'NOT caught'} ${finding}\n`,
      );
    return ran && failed.length > 0;
  } finally {
    writeFileSync(join(copy, file), original);
  }
}
