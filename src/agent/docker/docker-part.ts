// The host's part of the networks in Docker.

import type { AgentOptions } from '../agent-options.ts';
import type { ClusterState } from '../master/cluster-state.ts';
import type { Engine } from './docker-engine.ts';
import { keepDockerForwarding } from './docker-forwarding.ts';
import { dockerNetworks, keepDockerNetworks } from './docker-network.ts';
import type { Log } from '../log.ts';
import type { AgentMetrics } from '../status/metrics.ts';

/** Milliseconds for the rules. */
const RULES_LIMIT = 10_000;

/** Has Docker's networks be as the state says; gives what is wrong, by the name of the network. Throws what its engine throws. */
export async function keepDocker(
	engine: Engine,
	{ ip, dockerIpv6 }: Pick<AgentOptions, 'ip' | 'dockerIpv6'>,
	state: ClusterState,
	mtu: number,
	{ log, metrics }: { readonly log: Log; readonly metrics: AgentMetrics },
): Promise<ReadonlyMap<string, string>> {
	const wanted = dockerNetworks(state, { ip, mtu, ipv6: dockerIpv6 });
	const { isPresent, made, removed, problems } = await keepDockerNetworks(engine, wanted);
	for (const name of removed) log('info', 'docker network removed', { network: name });
	for (const name of made) log('info', 'docker network made', { network: name });
	const names = wanted.map(({ Name }) => Name);
	if (isPresent && keepDockerForwarding(names, performance.now() + RULES_LIMIT)) log('info', 'docker rules set');
	metrics.dockerFailures(problems.size);
	return problems;
}
