// The economy campaign: a stateful fuzz over all modules of the market together, in episodes of random calls on fresh markets.
//   npm run campaign:economy -- --calls 10000000 --seed 1 --json
// Governance changes the rules of matching on the way, from either version to the other.
// Every actor's call is known beforehand to succeed or to be refused; after every few calls all books are compared with the contracts.
// Prints {"calls":…,"violations":…,"unexpectedReverts":…,"seed":…} and exits non-zero unless all calls were made and nothing was found.
// A finding is printed with its episode: --seed S --episode E plays it again, alone.
import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';

const CALLS_AN_EPISODE = 5000;
const CALLS_THAT_REACH_ALL = 1_000_000;
/** Episodes one forge process plays before it gives its memory back. */
const EPISODES_A_PROCESS = 20;
/** Builds the contracts and the campaign alone, beside what the suites build. */
const OWN_BUILD = {
  FOUNDRY_TEST: 'test/campaign',
  FOUNDRY_OUT: 'out-campaign',
  FOUNDRY_CACHE_PATH: 'cache-campaign',
};
const RUNNER = [
  'test',
  '--match-path',
  'test/campaign/CampaignRun.t.sol',
  '--gas-limit',
  '18446744073709551615',
  '-vv',
];

const { values } = parseArgs({
  options: {
    calls: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    episode: { type: 'string' },
    workers: { type: 'string', default: String(availableParallelism()) },
    json: { type: 'boolean', default: false },
  },
});
const calls = positive('calls');
const workers = positive('workers');
const seed = values.seed;
if (!/^\d+$/.test(seed)) fail(`--seed must be a whole number, not '${seed}'`);
if (values.episode !== undefined && !/^\d+$/.test(values.episode))
  fail(`--episode must be a whole number, not '${values.episode}'`);

const started = Date.now();
/** Selectors of the calls that the campaign makes, and how often each succeeded. */
const reached = new Map();
/** Rounds settled and orders matched by batches, by the version of the rules. */
const settled = new Map();
const totals = { calls: 0, violations: 0, unexpectedReverts: 0 };
await forge(['build'], {});
const batches =
  values.episode === undefined
    ? plan(calls)
    : [{ from: Number(values.episode), to: Number(values.episode) + 1, size: CALLS_AN_EPISODE }];
const expected = batches.reduce((sum, { from, to, size }) => sum + (to - from) * size, 0);
await Promise.all(Array.from({ length: Math.min(workers, batches.length) }, work));

const seconds = Math.round((Date.now() - started) / 1000);
// Invariants of a market in which some call never succeeds say little; a short campaign need not get everywhere.
const missed = calls >= CALLS_THAT_REACH_ALL ? notReached() : [];
if (missed.length > 0) process.stderr.write(`never succeeded: ${missed.join(', ')}\n`);
const green =
  missed.length === 0 && totals.calls >= expected && totals.violations === 0 && totals.unexpectedReverts === 0;
if (!values.json) {
  for (const [version, { rounds, matches }] of settled) {
    process.stderr.write(`version ${version} of the rules: ${rounds} rounds settled, ${matches} orders matched\n`);
  }
  process.stderr.write(`${totals.calls} calls in ${seconds} s, ${green ? 'green' : 'NOT green'}\n`);
}
process.stdout.write(`${JSON.stringify({ ...totals, seed: Number(seed) })}\n`);
process.exitCode = green ? 0 : 1;

/** Episodes of equal size, and one shorter for the rest, cut into what one process plays. */
function plan(count) {
  const whole = Math.floor(count / CALLS_AN_EPISODE);
  const parts = [];
  for (let from = 0; from < whole; from += EPISODES_A_PROCESS) {
    parts.push({ from, to: Math.min(whole, from + EPISODES_A_PROCESS), size: CALLS_AN_EPISODE });
  }
  const rest = count % CALLS_AN_EPISODE;
  if (rest > 0) parts.push({ from: whole, to: whole + 1, size: rest });
  return parts;
}

/** What a campaign that reached everything would have seen succeed, and did not: calls, and settlements by a version of the rules. */
function notReached() {
  if (reached.size === 0) return ['anything, as far as the episodes tell'];
  const calls = [...reached].filter(([, times]) => times === 0).map(([selector]) => selector);
  const versions = [...settled].filter(([, { matches }]) => matches === 0).map(([version]) => `rules ${version}`);
  return [...calls, ...versions];
}

async function work() {
  for (let batch = batches.shift(); batch !== undefined; batch = batches.shift()) {
    await play(batch);
    process.stderr.write(
      `${totals.calls} of ${expected} calls, ${Math.round(totals.calls / ((Date.now() - started) / 1000))} a second\n`,
    );
  }
}

async function play({ from, to, size }) {
  let findings = [];
  let played = 0;
  let found = 0;
  const env = {
    CAMPAIGN_SEED: seed,
    CAMPAIGN_FROM: String(from),
    CAMPAIGN_TO: String(to),
    CAMPAIGN_EPISODE_CALLS: String(size),
  };
  const code = await forge(RUNNER, env, (line) => {
    const reach = /REACHED (0x[0-9a-f]{8})[0-9a-f]* (\d+)/.exec(line);
    if (reach !== null) {
      reached.set(reach[1], (reached.get(reach[1]) ?? 0) + Number(reach[2]));
      return;
    }
    const rules = /RULES (\d+) (\d+) (\d+)/.exec(line);
    if (rules !== null) {
      const [version, rounds, matches] = rules.slice(1).map(Number);
      const before = settled.get(version) ?? { rounds: 0, matches: 0 };
      settled.set(version, { rounds: before.rounds + rounds, matches: before.matches + matches });
      return;
    }
    const episode = /EPISODE (\d+) (\d+) (\d+) (\d+)/.exec(line);
    if (episode === null) {
      findings.push(line);
      return;
    }
    const [number, made, violations, surprises] = episode.slice(1).map(Number);
    played += 1;
    totals.calls += made;
    totals.violations += violations;
    totals.unexpectedReverts += surprises;
    found += violations + surprises;
    if (violations + surprises > 0) report(number, findings);
    findings = [];
  });
  if (played === to - from && (code === 0 || found > 0)) return;
  // A process that died has made calls that nobody judged.
  totals.violations += 1;
  report(from + played, findings);
}

function report(episode, findings) {
  process.stderr.write(
    `episode ${episode} of seed ${seed} (again with --seed ${seed} --episode ${episode}):\n${findings.slice(-40).join('\n')}\n`,
  );
}

/** Runs forge in contracts/, hands its lines on, and resolves with its exit code. */
function forge(args, env, onLine = () => {}) {
  return new Promise((resolve, reject) => {
    const child = spawn('./tools/forge', args, {
      cwd: new URL('../contracts', import.meta.url),
      env: { ...process.env, ...OWN_BUILD, ...env },
    });
    const tail = [];
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        tail.push(line);
        if (tail.length > 20) tail.shift();
        onLine(line);
      });
    }
    child.on('error', reject);
    child.on('close', (code) => {
      if (code !== 0 && args[0] === 'build') reject(new Error(`forge build failed:\n${tail.join('\n')}`));
      else resolve(code);
    });
  });
}

function positive(name) {
  const value = Number(values[name]);
  if (!Number.isSafeInteger(value) || value < 1)
    fail(`--${name} must be a whole number from 1 on, not '${values[name]}'`);
  return value;
}

function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(2);
}
