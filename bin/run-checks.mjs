// Runs every check, keeps going after a failure so that one run shows all of them, and counts tests over all suites.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'matchmaker-checks-'));
const jest = ['--experimental-vm-modules', '--no-warnings', 'node_modules/jest/bin/jest.js'];

const started = Date.now();
const totals = { passed: 0, failed: 0 };
const failures = [];
const show = (text) => process.stdout.write(text);

/** Runs one command with its output handed to `write` as it comes, and returned; never rejects. */
function run(command, args, write, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        output += text;
        write(text);
      });
    }
    child.on('error', (error) => {
      write(`${error}\n`);
      resolve({ code: 127, output });
    });
    child.on('close', (code) => resolve({ code: code ?? 1, output }));
  });
}

const secondsSinceStart = () => Math.round((Date.now() - started) / 1000);

/** `from` is the second at which the suite began, so that a log shows where the time goes. */
function count(name, from, passed, failed, code, write = show) {
  // A runner that dies, or that finds no test, is a failure even when it counted none.
  const broken = code !== 0 && failed === 0;
  const empty = passed + failed === 0;
  totals.passed += passed;
  totals.failed += failed + (broken || (empty && !broken) ? 1 : 0);
  if (failed > 0 || broken || empty) failures.push(name);
  write(
    `-- ${name}: ${passed} passed, ${failed} failed${broken ? `, exit code ${code}` : ''}${empty ? ', no test ran' : ''}` +
      ` (seconds ${from} to ${secondsSinceStart()})\n\n`,
  );
}

/** Runs lanes of checks side by side, each lane's one after the other; a check shows its output when it is done, so that none mix. */
async function checksSideBySide(...lanes) {
  await Promise.all(
    lanes.map(async (lane) => {
      for (const [name, command, ...args] of lane) {
        const texts = [`-- ${name}\n`];
        const from = secondsSinceStart();
        const keep = (text) => texts.push(text);
        const { code } = await run(command, args, keep);
        count(name, from, code === 0 ? 1 : 0, code === 0 ? 0 : 1, code, keep);
        show(texts.join(''));
      }
    }),
  );
}

async function jestSuite(name, args) {
  const from = secondsSinceStart();
  show(`-- ${name}\n`);
  const file = join(scratch, `${name.replaceAll(' ', '-')}.json`);
  const { code } = await run(process.execPath, [...jest, ...args, '--json', `--outputFile=${file}`], show);
  try {
    const result = JSON.parse(readFileSync(file, 'utf8'));
    const suiteErrors = result.testResults.filter(
      (suite) => suite.status === 'failed' && suite.assertionResults.length === 0,
    ).length;
    count(name, from, result.numPassedTests, result.numFailedTests + suiteErrors, code);
  } catch {
    count(name, from, 0, 0, code || 1);
  }
}

async function forgeSuite(name) {
  const from = secondsSinceStart();
  show(`-- ${name}\n`);
  const { code, output } = await run('./tools/forge', ['test'], show, {
    cwd: join(root, 'contracts'),
    env: {
      ...process.env,
      FORGE_SNAPSHOT_CHECK: 'true',
      FOUNDRY_DISABLE_NIGHTLY_WARNING: '1',
    },
  });
  const summary = /Ran \d+ test suites? .*?: (\d+) tests? passed, (\d+) failed/.exec(output);
  count(name, from, Number(summary?.[1] ?? 0), Number(summary?.[2] ?? 0), code);
}

// The compiler of storage layouts and of Solidity's lint has one thread; what reads TypeScript and text fills the other core.
await checksSideBySide(
  [
    ['lint', 'npm', 'run', '--silent', 'lint'],
    ['storage layouts', 'node', 'contracts/check-storage-layouts.mjs'],
  ],
  [
    ['types', 'npm', 'run', '--silent', 'typecheck'],
    ['format', 'npm', 'run', '--silent', 'format:check'],
    ['storage layout checker', 'node', '--test', 'contracts/storage-layout.test.mjs'],
  ],
);
await forgeSuite('contracts');
// Jest alone would leave a core for whoever watches.
await jestSuite('unit', ['--selectProjects', 'unit', `--maxWorkers=${availableParallelism()}`]);
// Each suite is a market of eight processes that mostly wait for blocks.
await jestSuite('end to end', ['--selectProjects', 'e2e', '--maxWorkers=2']);
rmSync(scratch, { recursive: true, force: true });

console.log(`${secondsSinceStart()} s${failures.length > 0 ? `; failed: ${failures.join(', ')}` : ''}`);
console.log(`${totals.passed} passed, ${totals.failed} failed`);
process.exitCode = totals.failed > 0 || totals.passed === 0 ? 1 : 0;
