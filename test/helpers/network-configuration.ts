// The network configurations that the tests hand to the plugin.
import type { Host } from './host.ts';

export type Family = 'IPv4' | 'IPv6' | 'dual stack';
export const everyFamily: readonly Family[] = ['IPv4', 'IPv6', 'dual stack'];
export const everyVersion = ['0.1.0', '0.2.0', '0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0'] as const;

export type Configuration = Readonly<Record<string, unknown>>;

const subnet4 = { agentSubnet: '9.0.1.0/26' };
const subnet6 = { agentSubnet6: 'fd00:9:0:1::/64', prefix6: 64 };

/** What the agent's subnets hold: the gateway, the prefix length of the Mesos half, the nth address after the gateway. */
export const half = {
	4: { gateway: '9.0.1.1', prefix: 27, address: (nth: number) => `9.0.1.${nth + 1}` },
	6: { gateway: 'fd00:9:0:1::1', prefix: 65, address: (nth: number) => `fd00:9:0:1::${(nth + 1).toString(16)}` },
} as const;

/** An agent's subnet so small that its Mesos half has room for a single container. */
export const roomForOne = { agentSubnet: '9.0.1.0/29', prefix: 29 };

/** The IP families that a test's word for them means. */
export function familiesOf(family: Family): (4 | 6)[] {
	return family === 'IPv4' ? [4] : family === 'IPv6' ? [6] : [4, 6];
}

/**
 * The configuration of the host's network: newest version, IPv4, everything else by default. `keys` are put over it,
 * those of `ipam` one by one; `ipam: null` gives a network without addresses, an undefined key leaves it out.
 */
export function networkConfiguration(host: Host, keys: Configuration = {}, family: Family = 'IPv4'): Configuration {
	const subnets = { IPv4: subnet4, IPv6: subnet6, 'dual stack': { ...subnet4, ...subnet6 } }[family];
	const { ipam, ...rest } = keys;
	const { network: name, natDir, natBackend } = host;
	const nat = natBackend === undefined ? { natDir } : { natDir, natBackend };
	const base = { cniVersion: '1.1.0', name, type: 'mesos-overlay', ...nat, ...rest };
	if (ipam === null) return base;
	return {
		...base,
		ipam: { type: 'mesos-overlay-ipam', ...subnets, dataDir: host.dataDir, ...(ipam as Configuration | undefined) },
	};
}
