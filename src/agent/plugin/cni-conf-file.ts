// The files that the plugin and Mesos read: agent.json, and a network configuration for each network.

import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { present } from '../../cni/fields.ts';
import { type AgentNetwork, encodeAgentFile } from '../../ipam/agent-file.ts';
import { messageOf } from '../../ipam/lease-error.ts';
import { subnetOf } from '../../overlay/subnet-text.ts';
import { type NetworkOptions, type Places, RUN_DIRECTORY, runPaths } from '../agent-options.ts';
import type { ClusterState } from '../master/cluster-state.ts';
import { keysFor } from './further-keys.ts';
import { readIfThere, UNFINISHED, writeDurably } from '../durable-file.ts';

/** By this key a file is known as ours; any other is left alone. */
const MARK = { managedBy: 'mesos-overlay agent' } as const;

/** The parts of this host of each network, as agent.json has them. `mtu` in bytes. */
export function agentNetworks({ networks, agents }: ClusterState, ip: string, mtu: number): Map<string, AgentNetwork> {
	const self = agents.get(ip);
	const read = (text: string | undefined) => (text === undefined ? undefined : subnetOf(text));
	return new Map(
		networks.flatMap(({ name, overlay, overlay6 }): [string, AgentNetwork][] => {
			const allocation = self?.networks[name];
			if (allocation === undefined) return [];
			const { subnet, subnet6 } = allocation;
			const own = { subnet: read(subnet), subnet6: read(subnet6) };
			return [[name, present({ ...own, overlay: read(overlay), overlay6: read(overlay6), mtu })]];
		}),
	);
}

/** The networks on which containers may be launched here: those that are not about to go. */
export function openNetworks({ networks, agents }: ClusterState, ip: string): string[] {
	const self = agents.get(ip);
	return networks
		.filter(({ name, state }) => state !== 'draining' && self?.networks[name] !== undefined)
		.map(({ name }) => name);
}

/** The configuration of a network, without `cniVersion`: so Mesos, which speaks 0.1 and 0.2, takes it. `mtu` in bytes. */
export function confText(
	name: string,
	mtu: number,
	{ addressing, backend, further }: NetworkOptions,
	places: Pick<Places, 'run'>,
): string {
	const { agentFile, leases, rules } = runPaths(places);
	const isElsewhere = places.run !== RUN_DIRECTORY;
	const { ipam, ...keys } = keysFor(further, name);
	const configuration = {
		name,
		...MARK,
		type: 'mesos-overlay',
		ipMasq: true,
		...keys,
		mtu,
		...(backend !== 'auto' && { natBackend: backend }),
		...(isElsewhere && { natDir: rules }),
		ipam: {
			type: 'mesos-overlay-ipam',
			...ipam,
			...(addressing !== 'bridged' && { addressing }),
			...(isElsewhere && { agentFile, dataDir: leases }),
		},
	};
	return `${JSON.stringify(configuration, undefined, '\t')}\n`;
}

/** Writes agent.json when it says something else. Throws what node:fs throws. */
export function keepAgentFile(path: string, networks: ReadonlyMap<string, AgentNetwork>): void {
	const text = encodeAgentFile(networks);
	if (readIfThere(path) !== text) writeDurably(path, text, 0o644);
}

/**
 * Makes the directory hold a configuration for each network and none of ours for any other. `texts` by the name of the
 * network. Gives what could not be done, by the name of the network. Without a directory, nothing is to be done.
 */
export function keepConfFiles(directory: string | undefined, texts: ReadonlyMap<string, string>): Map<string, string> {
	const problems = new Map<string, string>();
	if (directory === undefined) return problems;
	removeConfFiles(directory, (name) => !texts.has(name));
	for (const [name, text] of texts) {
		const path = `${directory}/${name}.conf`;
		try {
			const there = readIfThere(path);
			if (there === text) continue;
			if (there !== undefined && !isOurs(there)) {
				problems.set(name, `writing "${path}": somebody else wrote this file; remove or rename it`);
				continue;
			}
			writeDurably(path, text, 0o644);
		} catch (error) {
			problems.set(name, `writing "${path}": ${messageOf(error)}`);
		}
	}
	return problems;
}

/** Removes our configurations of those networks, and what a writer that was killed has left. Throws what node:fs throws. */
export function removeConfFiles(
	directory: string | undefined,
	isUnwanted: (network: string) => boolean = () => true,
): void {
	if (directory === undefined) return;
	mkdirSync(directory, { recursive: true });
	for (const file of readdirSync(directory)) {
		if (file.endsWith(UNFINISHED)) rmSync(`${directory}/${file}`, { force: true });
		const name = /^(.*)\.conf$/.exec(file)?.[1];
		if (name === undefined || !isUnwanted(name)) continue;
		const path = `${directory}/${file}`;
		const text = readIfThere(path);
		if (text !== undefined && isOurs(text)) rmSync(path, { force: true });
	}
}

function isOurs(text: string): boolean {
	try {
		const value = JSON.parse(text) as { managedBy?: unknown } | null;
		return value?.managedBy === MARK.managedBy;
	} catch {
		return false;
	}
}
