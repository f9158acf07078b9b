// What is compared: our plugin in its editions, and the reference plugins, all with equal work to do.

import { existsSync, writeFileSync } from 'node:fs';
import { bunEdition } from '../build/editions/bun.ts';
import { executableDirectory, toolDirectory } from '../build/project.ts';
import { BuildError } from '../build/run.ts';
import { type Call, goModuleVersion } from './launcher.ts';
import type { Stage } from './stage.ts';

export interface Competitor {
	readonly title: string;
	readonly version: string;
	readonly program: string;
	/** The name of its network and of its bridge. */
	readonly name: string;
	/** Its part of a network configuration, for the /24 in which it has 125 addresses to give. */
	readonly configuration: (subnet: string, dataDirectory: string) => Record<string, unknown>;
}

/**
 * Our default edition, the reference, and our second edition if it has been built, in this order.
 * Throws a BuildError when one of the first two is missing.
 */
export async function findCompetitors(): Promise<readonly Competitor[]> {
	const ours: Competitor = {
		title: 'mesos-overlay',
		version: bunEdition().runtime,
		program: existing(`${executableDirectory}/mesos-overlay`),
		name: 'ours',
		configuration: (subnet, dataDir) => ({
			type: 'mesos-overlay',
			ipam: { type: 'mesos-overlay-ipam', prefix: 24, agentSubnet: `${subnet}.0/24`, dataDir },
		}),
	};
	const bridge = existing(`${toolDirectory}/bridge`);
	const reference: Competitor = {
		title: 'bridge + host-local',
		version: await goModuleVersion(bridge),
		program: bridge,
		name: 'reference',
		configuration: (subnet, dataDir) => ({
			type: 'bridge',
			ipam: {
				type: 'host-local',
				ranges: [[{ subnet: `${subnet}.0/25`, gateway: `${subnet}.1` }]],
				routes: [{ dst: '0.0.0.0/0' }],
				dataDir,
			},
		}),
	};
	const second: Competitor = {
		...ours,
		title: 'mesos-overlay-pkg',
		version: `Node ${process.versions.node}`,
		program: `${executableDirectory}/mesos-overlay-pkg`,
		name: 'second',
	};
	return existsSync(second.program) ? [ours, reference, second] : [ours, reference];
}

/** Writes the network configuration of each competitor; those that share the stage have different subnets. */
export function writeConfigurations(competitors: readonly Competitor[], stage: Stage): void {
	for (const [index, competitor] of competitors.entries()) {
		const configuration = {
			cniVersion: '1.0.0',
			name: competitor.name,
			bridge: competitor.name,
			isGateway: true,
			hairpinMode: true,
			mtu: 1420,
			...competitor.configuration(`9.0.${index + 1}`, `${stage.directory}/${competitor.name}-leases`),
		};
		writeFileSync(configurationFile(competitor, stage), JSON.stringify(configuration));
	}
}

/** A call of the plugin for the interface eth0 of a container, given by its namespace's path. */
export function cniCall(competitor: Competitor, stage: Stage, command: string, container: string): Call {
	return {
		program: competitor.program,
		environment: [
			`CNI_COMMAND=${command}`,
			`CNI_CONTAINERID=${container.replace('/run/netns/', '')}`,
			`CNI_NETNS=${container}`,
			'CNI_IFNAME=eth0',
			`CNI_PATH=${toolDirectory}`,
			'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
		],
		input: configurationFile(competitor, stage),
	};
}

function configurationFile({ name }: Competitor, stage: Stage): string {
	return `${stage.directory}/${name}.json`;
}

/** Returns the path. Throws a BuildError when nothing is there. */
function existing(path: string): string {
	if (existsSync(path)) return path;
	throw new BuildError(`looking for "${path}": no such file; "npm run bench" makes it`);
}
