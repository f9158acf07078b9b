// What containers are attached by: the rules of the host, agent.json, and the network configurations that Mesos reads.

import { passForwardPolicy } from '../../nat/forward-policy.ts';
import { type AgentOptions, runPaths } from '../agent-options.ts';
import type { ClusterState } from '../master/cluster-state.ts';
import {
	agentNetworks,
	confText,
	keepAgentFile,
	keepConfFiles,
	openNetworks,
	removeConfFiles,
} from './cni-conf-file.ts';
import { dropFormerSubnets } from './former-subnets.ts';
import { keepNetworks, networkWishes } from './network-records.ts';

/** Milliseconds for the rules. */
const RULES_LIMIT = 10_000;

type PluginOptions = Pick<AgentOptions, 'ip' | 'places' | 'network'>;

/** Takes from Mesos what is about to go: nobody is to be launched on it. Throws what node:fs throws. */
export function withdrawConfFiles({ ip, places }: PluginOptions, state: ClusterState): void {
	const open = new Set(openNetworks(state, ip));
	removeConfFiles(places.cni, (name) => !open.has(name));
}

/**
 * Has the rules of the host be as the state says; with `isDoubtful`, after a look at all of them. Gives whether any were put
 * back. Throws CniError or NetlinkError.
 */
export async function keepRules(
	{ ip, places, network }: PluginOptions,
	state: ClusterState,
	mtu: number,
	isDoubtful: boolean,
): Promise<boolean> {
	const { rules: directory } = runPaths(places);
	const deadline = performance.now() + RULES_LIMIT;
	const wishes = state.agents.has(ip) ? networkWishes(state, ip, network.further) : [];
	let isDone = await keepNetworks({ directory, backend: network.backend }, wishes, deadline, isDoubtful);
	for (const wish of wishes) isDone = (await passForwardPolicy(wish, directory, deadline)) || isDone;
	await dropFormerSubnets(places, agentNetworks(state, ip, mtu), network, deadline);
	return isDone;
}

/** Has the files be as the state says; gives what is wrong, by the name of the network. Throws what node:fs throws. */
export function keepFiles(
	{ ip, places, network }: PluginOptions,
	state: ClusterState,
	mtu: number,
): Map<string, string> {
	keepAgentFile(runPaths(places).agentFile, agentNetworks(state, ip, mtu));
	const texts = openNetworks(state, ip).map((name): [string, string] => [name, confText(name, mtu, network, places)]);
	return keepConfFiles(places.cni, new Map(texts));
}
