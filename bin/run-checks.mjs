// Runs every check in turn, keeps going after a failure so that one run shows all of them, and counts tests over all suites.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'matchmaker-checks-'));
const jest = ['--experimental-vm-modules', '--no-warnings', 'node_modules/jest/bin/jest.js'];

const totals = { passed: 0, failed: 0 };
const failures = [];

/** Runs one command with its output shown and returned; never rejects. */
function run(command, args, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
      process.stdout.write(chunk);
    });
    child.stderr.on('data', (chunk) => {
      output += chunk;
      process.stderr.write(chunk);
    });
    child.on('error', (error) => resolve({ code: 127, output: String(error) }));
    child.on('close', (code) => resolve({ code: code ?? 1, output }));
  });
}

function count(name, passed, failed, code) {
  // A runner that dies, or that finds no test, is a failure even when it counted none.
  const broken = code !== 0 && failed === 0;
  const empty = passed + failed === 0;
  totals.passed += passed;
  totals.failed += failed + (broken || (empty && !broken) ? 1 : 0);
  if (failed > 0 || broken || empty) failures.push(name);
  console.log(
    `-- ${name}: ${passed} passed, ${failed} failed${broken ? `, exit code ${code}` : ''}${empty ? ', no test ran' : ''}\n`,
  );
}

async function check(name, command, args, options) {
  console.log(`-- ${name}`);
  const { code } = await run(command, args, options);
  count(name, code === 0 ? 1 : 0, code === 0 ? 0 : 1, code);
}

async function jestSuite(name, args) {
  console.log(`-- ${name}`);
  const file = join(scratch, `${name.replaceAll(' ', '-')}.json`);
  const { code } = await run(process.execPath, [...jest, ...args, '--json', `--outputFile=${file}`]);
  try {
    const result = JSON.parse(readFileSync(file, 'utf8'));
    const suiteErrors = result.testResults.filter(
      (suite) => suite.status === 'failed' && suite.assertionResults.length === 0,
    ).length;
    count(name, result.numPassedTests, result.numFailedTests + suiteErrors, code);
  } catch {
    count(name, 0, 0, code || 1);
  }
}

async function forgeSuite(name) {
  console.log(`-- ${name}`);
  const { code, output } = await run('./tools/forge', ['test'], {
    cwd: join(root, 'contracts'),
    env: {
      ...process.env,
      FORGE_SNAPSHOT_CHECK: 'true',
      FOUNDRY_DISABLE_NIGHTLY_WARNING: '1',
    },
  });
  const summary = /Ran \d+ test suites? .*?: (\d+) tests? passed, (\d+) failed/.exec(output);
  count(name, Number(summary?.[1] ?? 0), Number(summary?.[2] ?? 0), code);
}

const started = Date.now();
await check('types', 'npm', ['run', '--silent', 'typecheck']);
await check('lint', 'npm', ['run', '--silent', 'lint']);
await check('format', 'npm', ['run', '--silent', 'format:check']);
await check('storage layouts', 'node', ['contracts/check-storage-layouts.mjs']);
await check('storage layout checker', 'node', ['--test', 'contracts/storage-layout.test.mjs']);
await forgeSuite('contracts');
// Jest alone would leave a core for whoever watches.
await jestSuite('unit', ['--selectProjects', 'unit', `--maxWorkers=${availableParallelism()}`]);
// Each suite is a market of eight processes that mostly wait for blocks.
await jestSuite('end to end', ['--selectProjects', 'e2e', '--maxWorkers=2']);
rmSync(scratch, { recursive: true, force: true });

console.log(
  `${Math.round((Date.now() - started) / 1000)} s${failures.length > 0 ? `; failed: ${failures.join(', ')}` : ''}`,
);
console.log(`${totals.passed} passed, ${totals.failed} failed`);
process.exitCode = totals.failed > 0 || totals.passed === 0 ? 1 : 0;
