import { benchEngine } from './benchEngine.js';
import { openThread } from './benchThreads.js';
import { reportTables } from './engineReport.js';
import { parseSettings } from './settings.js';
import type { Settings } from './settings.js';

/** The thread's code as it was bundled beside this file. */
const threadFile = new URL('benchEngineThread.js', import.meta.url);

let settings: Settings;
try {
  settings = parseSettings(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(2);
}
const threads = [openThread(threadFile), openThread(threadFile)] as const;
const started = performance.now();
const report = await benchEngine(settings, threads, (line) => {
  console.error(`${Math.round((performance.now() - started) / 1000)} s: ${line}`);
});
await Promise.all(threads.map((thread) => thread.close()));
console.log(settings.json ? JSON.stringify(report) : reportTables(report));
for (const failure of report.failures) console.error(failure);
process.exitCode = report.failures.length === 0 ? 0 : 1;
