// Checks the configuration of the virtual networks, and says what they have room for.

import { note } from '../linux/standard-error.ts';
import { writeStdout } from '../linux/standard-output.ts';
import type { Capacity } from '../overlay/capacity.ts';
import { defineCommand } from './command.ts';
import { formatTable } from './table.ts';

export const configCheck = defineCommand({
	name: 'config check',
	operand: 'FILE',
	summary: 'checks the configuration of the virtual networks',
	details: `Reads dcos_overlay_network from a config.yaml, as the master does. Names everything that is wrong with its line
and column on stderr, with exit status 1. When nothing is, shows how many agents each network has subnets
for, and how many Mesos containers each of them has addresses for; Docker containers have as many again.`,
	options: {
		json: { type: 'boolean', about: 'an object with "networks" and "vteps" in place of the table' },
		'ignore-host-networks': {
			type: 'boolean',
			about: 'do not compare it with the networks of this host, for another machine',
		},
	},
	async run({ json, 'ignore-host-networks': ignoreHost }, file) {
		const { readConfigurationFile } = await import('../master/read-configuration.ts');
		const { ConfigurationError } = await import('../overlay/configuration-file.ts');
		const { capacitiesOf, vtepCapacity } = await import('../overlay/capacity.ts');
		try {
			const { vtep, networks } = readConfigurationFile(file, { besideHost: !ignoreHost });
			const [capacities, vteps] = [capacitiesOf(networks), vtepCapacity(vtep)];
			writeStdout(json ? encode(capacities, vteps) : show(capacities, vteps));
			return 0;
		} catch (error) {
			if (!(error instanceof ConfigurationError)) throw error;
			for (const problem of error.problems) note(problem);
			return 1;
		}
	},
});

function show(capacities: readonly Capacity[], vteps: bigint): string {
	const rows = capacities.map(({ network, subnet, prefix, agents, containers }) => [
		network,
		subnet,
		`/${prefix}`,
		`${agents}`,
		`${containers}`,
	]);
	const table = formatTable(['NETWORK', 'SUBNET', 'EACH', 'AGENTS', 'CONTAINERS'], rows);
	return `${table}There are VTEP addresses for ${vteps} agents.\n`;
}

/** Numbers of IPv6 are rounded: JSON has none that are as large. */
function encode(capacities: readonly Capacity[], vteps: bigint): string {
	const networks = capacities.map(({ agents, containers, ...rest }) => ({
		...rest,
		agents: Number(agents),
		containers: Number(containers),
	}));
	return `${JSON.stringify({ networks, vteps: Number(vteps) }, undefined, 2)}\n`;
}
