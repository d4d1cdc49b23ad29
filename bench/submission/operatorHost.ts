import { parseDeployment } from '../../chain/deployment.js';
import { createRpc } from '../../chain/rpc/rpc.js';
import { RoundFollower } from '../../chain/sync/roundFollower.js';
import { VERSION } from '../../cli/version.js';
import { loadOperatorConfig } from '../../operator/operatorConfig.js';
import { runOperator } from '../../operator/runOperator.js';
import { systemClock } from '../../service/clock.js';
import { Lifecycle } from '../../service/lifecycle.js';
import { createLogger } from '../../service/logger.js';
import { readJsonFile } from '../../service/readJsonFile.js';
import { loadCurves } from '../../service/signing/curves.js';
import { openSigningKey } from '../../service/signing/openSigningKey.js';

// Runs one operator for each config file of the command line in this process: each has its own key, guard, outbox, chain follower,
// HTTP server and connections; only the process is shared.
const logger = createLogger({ service: 'operator-host', level: 'info' });
const lifecycle = new Lifecycle({ shutdownTimeoutMs: 20_000 }, { logger, clock: systemClock, host: process });
lifecycle.install();
const curves = await loadCurves();
for (const file of process.argv.slice(2)) {
  const config = loadOperatorConfig({ file, flags: {} });
  const deployment = parseDeployment(readJsonFile('deployment', config.deployment));
  const rpc = createRpc({ url: config.rpcUrl, requestTimeoutMs: 10_000, chainId: deployment.chainId });
  const operator = await runOperator(config, {
    deployment,
    key: openSigningKey(deployment.quorum.curve, config.keystore, process.env, curves),
    rpc,
    stakeRpc: rpc,
    version: VERSION,
    logger,
    clock: systemClock,
    random: Math.random,
    createFollower: (options, dependencies) => new RoundFollower(options, dependencies),
  });
  lifecycle.onShutdown(file, () => operator.stop());
}
