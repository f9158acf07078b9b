// Takes this host out of the networks: everything that the agent has made on it.

import { rmSync } from 'node:fs';
import { messageOf } from '../ipam/lease-error.ts';
import { VTEP } from '../overlay/vtep.ts';
import { type AgentOptions, runPaths } from './agent-options.ts';
import { removeConfFiles } from './plugin/cni-conf-file.ts';
import { takeDirectory } from './directory-lock.ts';
import { engineAt } from './docker/docker-engine.ts';
import { keepDockerForwarding } from './docker/docker-forwarding.ts';
import { keepDockerNetworks } from './docker/docker-network.ts';
import { readLastState, removeLastState } from './master/last-state.ts';
import { removeEverything } from './remove.ts';

/** Milliseconds. */
const LIMIT = 60_000;

/** Gives what was left and why, in words; called again, it goes on. Throws OptionError when an agent runs. */
export async function removeHost({
	places,
	network,
	dockerSocket,
}: Pick<AgentOptions, 'places' | 'network' | 'dockerSocket'>): Promise<string[]> {
	const giveBack = takeDirectory(places.state);
	try {
		const { agentFile, leases, rules } = runPaths(places);
		const networks = readLastState(places.state)?.networks.map(({ name }) => name) ?? [];
		// First what would have somebody launched on the networks.
		removeConfFiles(places.cni);
		const left = await removeDockerNetworks(dockerSocket);
		rmSync(agentFile, { force: true });
		const removal = {
			vtep: VTEP.name,
			rules: { directory: rules, backend: network.backend },
			dataDirectory: leases,
			networks,
		};
		left.push(...(await removeEverything(removal, performance.now() + LIMIT)));
		// It says whose leases there may be.
		if (left.length === 0) removeLastState(places.state);
		return left;
	} finally {
		giveBack();
	}
}

async function removeDockerNetworks(socket: string | undefined): Promise<string[]> {
	if (socket === undefined) return [];
	try {
		const { problems } = await keepDockerNetworks(engineAt(socket), []);
		// Also when the engine is not there: its rules may be.
		keepDockerForwarding([], performance.now() + LIMIT);
		return [...problems.values()];
	} catch (error) {
		return [messageOf(error)];
	}
}
